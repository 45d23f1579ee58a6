"""Staff pages of events, deliveries and attempts: found by id, scope and time, never counted whole."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deliveries.models import Attempt, Delivery, Event
from deliveries.recovery import cancel, resend, retry_now
from subscriptions.admin.base import act_on_each
from subscriptions.admin.log_tables import (
    BeforeFilter,
    BroadcasterFilter,
    EndpointFilter,
    InputFilter,
    LogTableAdmin,
)
from subscriptions.identifiers import public_to_uuid
from subscriptions.models import Broadcaster
from subscriptions.portal import actor_of

SHOWN_BODY_BYTES = 16 * 1024


class TopicFilter(InputFilter):
    title = "topic"
    parameter_name = "topic"
    hint = "purchase.completed"


class FailureFilter(InputFilter):
    title = "failure"
    parameter_name = "failure"
    hint = "http_5xx"


def parse_id(prefix: str, term: str) -> UUID | None:
    """The primary key in a public id or in the text of a UUID; None if it is neither."""
    try:
        return public_to_uuid(prefix, term) or UUID(term)
    except ValueError:
        return None


def find_events(term: str) -> QuerySet[Event]:
    """The events with this public id, which is unique within a broadcaster only."""
    # Broadcaster by broadcaster, so that the unique index (broadcaster, event_id) serves it.
    return Event.objects.filter(broadcaster__in=Broadcaster.objects.values("pk"), event_id=term)


def _link(view: str, pk: object, text: object) -> SafeString:
    return format_html(
        '<a href="{}">{}</a>', reverse(f"admin:deliveries_{view}_change", args=[pk]), text
    )


@admin.register(Event)
class EventAdmin(LogTableAdmin[Event]):
    list_display = ["event_id", "broadcaster", "topic", "test", "occurred_at", "created_at"]
    list_filter = [BroadcasterFilter, BeforeFilter, TopicFilter, "test"]
    list_select_related = ["broadcaster"]
    search_help_text = "An event's id: evt_…, the publisher's own, or a UUID."
    readonly_fields = ["linked_deliveries"]

    def find(self, queryset: QuerySet[Event], term: str) -> QuerySet[Event]:
        pks = [*find_events(term).values_list("pk", flat=True)]
        pk = parse_id("evt", term)
        return queryset.filter(pk__in=[*pks, *([pk] if pk else [])])

    @admin.display(description="deliveries")
    def linked_deliveries(self, event: Event) -> SafeString | str:
        found = event.deliveries.select_related("endpoint").order_by("-id")[:100]
        rows = [(_link("delivery", d.pk, d.public_id), d.endpoint, d.status) for d in found]
        return format_html_join("", "<div>{} to {}: {}</div>", rows) if rows else "none"


@admin.register(Delivery)
class DeliveryAdmin(LogTableAdmin[Delivery]):
    list_display = [
        "public_id",
        "broadcaster",
        "endpoint",
        "topic",
        "status",
        "attempt_count",
        "status_code",
        "failure",
        "next_attempt_at",
        "created_at",
    ]
    list_filter = [
        BroadcasterFilter,
        EndpointFilter,
        BeforeFilter,
        "status",
        TopicFilter,
        FailureFilter,
        "test",
    ]
    list_select_related = ["broadcaster", "endpoint"]
    search_help_text = "An id: of a delivery (dlv_…), an event, or a webhook (ep_…)."
    fields = [
        "public_id",
        "broadcaster",
        "endpoint",
        "event_link",
        "topic",
        "status",
        "status_reason",
        "test",
        "trigger",
        "attempt_count",
        "scheduled_count",
        "max_attempts",
        "next_attempt_at",
        "planned_at",
        "status_before",
        "lease_id",
        "failure",
        "status_code",
        "created_at",
        "completed_at",
        "linked_attempts",
    ]
    actions = ["resend", "retry_now", "cancel"]

    def find(self, queryset: QuerySet[Delivery], term: str) -> QuerySet[Delivery]:
        if term.startswith("ep_"):
            return EndpointFilter.narrow(queryset, term)
        pk = parse_id("dlv", term)
        if pk is not None and queryset.filter(pk=pk).exists():
            return queryset.filter(pk=pk)
        events = [*find_events(term).values_list("pk", flat=True)]
        return queryset.filter(event_id__in=[*events, *([pk] if pk else [])])

    @admin.display(description="event")
    def event_link(self, delivery: Delivery) -> SafeString:
        return _link("event", delivery.event_id, delivery.event.event_id)

    @admin.display(description="attempts")
    def linked_attempts(self, delivery: Delivery) -> SafeString | str:
        found = delivery.attempts.order_by("number")[:100]
        rows = [
            (a.number, _link("attempt", a.pk, a.public_id), a.outcome, a.status_code or a.failure)
            for a in found
        ]
        return format_html_join("", "<div>{}. {} {} {}</div>", rows) if rows else "none yet"

    @admin.action(description="Resend: one attempt now", permissions=["operate"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        actor = actor_of(request)
        act_on_each(request, queryset, lambda d: resend(delivery=d, actor=actor), "queued again")

    @admin.action(description="Retry now what is planned for later", permissions=["operate"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        actor = actor_of(request)
        act_on_each(request, queryset, lambda d: retry_now(delivery=d, actor=actor), "made due")

    @admin.action(description="Stop retrying: plan no more attempts", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        actor = actor_of(request)
        act_on_each(request, queryset, lambda d: cancel(delivery=d, actor=actor), "stopped")


@admin.register(Attempt)
class AttemptAdmin(LogTableAdmin[Attempt]):
    list_display = [
        "public_id",
        "broadcaster",
        "endpoint",
        "topic",
        "number",
        "trigger",
        "outcome",
        "status_code",
        "failure",
        "sent_at",
        "duration_ms",
    ]
    list_filter = [
        BroadcasterFilter,
        EndpointFilter,
        BeforeFilter,
        "outcome",
        TopicFilter,
        FailureFilter,
        "trigger",
    ]
    list_select_related = ["broadcaster", "endpoint"]
    search_help_text = "An id: of an attempt (att_…), a delivery (dlv_…), or a webhook (ep_…)."
    exclude = ["delivery", "response_body"]
    readonly_fields = ["delivery_link", "shown_response_body"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        queryset = super().get_queryset(request)
        is_list = request.resolver_match is not None and not request.resolver_match.kwargs
        large = ("response_body", "response_headers", "request_headers", "evidence")
        return queryset.defer(*large) if is_list else queryset

    def find(self, queryset: QuerySet[Attempt], term: str) -> QuerySet[Attempt]:
        if term.startswith("ep_"):
            return EndpointFilter.narrow(queryset, term)
        if term.startswith("dlv_"):
            return queryset.filter(delivery_id__in=[parse_id("dlv", term)])
        return queryset.filter(pk__in=[parse_id("att", term)])

    @admin.display(description="delivery")
    def delivery_link(self, attempt: Attempt) -> SafeString:
        return _link("delivery", attempt.delivery_id, attempt.delivery.public_id)

    @admin.display(description="response body")
    def shown_response_body(self, attempt: Attempt) -> SafeString:
        text = bytes(attempt.response_body)[:SHOWN_BODY_BYTES].decode("utf-8", "replace")
        return format_html("<pre>{}</pre>", text)
