"""Staff pages of pumps, health, hourly counters and replays, which are read-only."""

from __future__ import annotations

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

from deliveries.models import EndpointHealth, EndpointHour, Pump, Replay
from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.admin.log_tables import BroadcasterFilter, EndpointFilter, LogTableAdmin

# A row of django-q2's tables names the function that a worker calls: with pages for them, staff could
# run any function.
for _model in (Schedule, Success, Failure, OrmQ):
    admin.site.unregister(_model)


@admin.register(Pump)
class PumpAdmin(LogTableAdmin[Pump]):
    list_display = ["id", "slot", "host", "pid", "started_at", "heartbeat_at", "sent_count"]


@admin.register(EndpointHealth)
class EndpointHealthAdmin(ReadOnlyAdmin[EndpointHealth]):
    list_display = [
        "endpoint",
        "consecutive_failures",
        "last_failure",
        "last_status_code",
        "last_failure_at",
        "last_success_at",
    ]
    list_select_related = ["endpoint"]
    search_fields = ["endpoint__public_id__exact", "endpoint__name"]
    ordering = ["-consecutive_failures", "pk"]
    sortable_by = ()
    show_full_result_count = False


@admin.register(EndpointHour)
class EndpointHourAdmin(LogTableAdmin[EndpointHour]):
    list_display = [
        "hour",
        "endpoint",
        "broadcaster",
        "shard",
        "succeeded",
        "failed",
        "unknown",
        "exhausted",
    ]
    list_filter = [BroadcasterFilter, EndpointFilter]
    list_select_related = ["endpoint", "broadcaster"]


@admin.register(Replay)
class ReplayAdmin(LogTableAdmin[Replay]):
    list_display = ["public_id", "broadcaster", "status", "total", "done", "failed", "created_at"]
    list_filter = [BroadcasterFilter, EndpointFilter, "status"]
    list_select_related = ["broadcaster"]
