"""The health of endpoints: their last 24 hours, and which of them need attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, FilteredRelation, OuterRef, Q, Subquery, Sum

from deliveries.diagnosis import Failure, describe_latest
from deliveries.models import Delivery
from deliveries.statistics.charts import Bar, sparkline
from subscriptions.models import Broadcaster, Endpoint

HOURS = 24
_MAX_SHOWN = 8
# For other failures, the status that is stored may be that of an earlier attempt.
_NAMED_BY_STATUS = (Failure.HTTP_4XX, Failure.HTTP_5XX, Failure.GONE)


@dataclass(slots=True)
class HealthSummary:
    """The last 24 hours of an endpoint. hours: (succeeded, failed) of each, oldest first."""

    last_success_at: datetime | None
    next_due_at: datetime | None
    consecutive_failures: int
    last_failure: str
    last_status_code: int | None
    hours: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)] * HOURS)

    @property
    def succeeded(self) -> int:
        return sum(good for good, _ in self.hours)

    @property
    def failed(self) -> int:
        return sum(bad for _, bad in self.hours)

    @property
    def success_percent(self) -> float | None:
        total = self.succeeded + self.failed
        return 100.0 * self.succeeded / total if total else None

    @property
    def chart_label(self) -> str:
        """The chart's accessible name."""
        plural = "" if self.succeeded == 1 else "s"
        return f"Last 24 hours: {self.succeeded} attempt{plural} accepted, {self.failed} failed"

    @property
    def bars(self) -> tuple[Bar, ...]:
        return sparkline(self.hours)


def next_due_subquery(endpoint: OuterRef) -> Subquery:
    """When the earliest pending delivery of an endpoint is due. Index: delivery_due."""
    waiting = Delivery.objects.filter(endpoint=endpoint, status="pending", lease_id__isnull=True)
    return Subquery(waiting.order_by("next_attempt_at").values("next_attempt_at")[:1])


def read_health(
    broadcaster: Broadcaster, endpoints: Iterable[Endpoint], now: datetime
) -> dict[int, HealthSummary]:
    """The health of those endpoints that are the broadcaster's, by primary key, in one query."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first_hour = this_hour - timedelta(hours=HOURS - 1)
    summaries: dict[int, HealthSummary] = {}
    for row in _rows(broadcaster, [endpoint.pk for endpoint in endpoints], first_hour):
        summary = summaries.setdefault(row["pk"], _summary(row))
        if row["recent__hour"] is None:
            continue
        position = (row["recent__hour"] - first_hour) // timedelta(hours=1)
        if 0 <= position < HOURS:
            summary.hours[position] = (row["good"], row["bad"])
    return summaries


def _rows(
    broadcaster: Broadcaster, keys: list[int], first_hour: datetime
) -> Iterator[dict[str, Any]]:
    # A left join: an endpoint without an hour has one row too.
    recent = FilteredRelation("hours", condition=Q(hours__hour__gte=first_hour))
    rows = (
        broadcaster.endpoints.filter(pk__in=keys)
        .annotate(recent=recent, next_due_at=next_due_subquery(OuterRef("pk")))
        .order_by()
        .values(
            "pk",
            "next_due_at",
            "health__last_success_at",
            "health__consecutive_failures",
            "health__last_failure",
            "health__last_status_code",
            "recent__hour",
        )
        .annotate(good=Sum("recent__succeeded"), bad=Sum("recent__failed"))
    )
    return (dict(row) for row in rows)


def _summary(row: dict[str, Any]) -> HealthSummary:
    return HealthSummary(
        last_success_at=row["health__last_success_at"],
        next_due_at=row["next_due_at"],
        consecutive_failures=row["health__consecutive_failures"] or 0,
        last_failure=row["health__last_failure"] or "",
        last_status_code=row["health__last_status_code"],
    )


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """An endpoint that needs attention. since: its last success; None if it never had one."""

    endpoint: Endpoint
    cause: str
    failures: int
    since: datetime | None


def find_needing_attention(broadcaster: Broadcaster) -> list[AttentionItem]:
    """Suspended endpoints, then those that fail at present, the worst first; eight at most."""
    suspended = Q(suspended_at__isnull=False)
    failing = Q(health__consecutive_failures__gt=0)
    found = (
        broadcaster.endpoints.live()
        .filter(suspended | failing, active=True)
        .select_related("health")
        .order_by(
            F("suspended_at").desc(nulls_last=True),
            F("health__consecutive_failures").desc(nulls_last=True),
        )[:_MAX_SHOWN]
    )
    return [_attention(endpoint) for endpoint in found]


def _attention(endpoint: Endpoint) -> AttentionItem:
    health = getattr(endpoint, "health", None)
    if health is None:
        return AttentionItem(endpoint, "", 0, None)
    code = health.last_status_code if health.last_failure in _NAMED_BY_STATUS else None
    words = describe_latest(health.last_failure, code) if health.last_failure else ""
    return AttentionItem(endpoint, words, health.consecutive_failures, health.last_success_at)
