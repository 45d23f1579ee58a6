"""Events that a webhook missed while it was switched off or suspended, and sending them after all.

It missed what was published meanwhile, for which it has no delivery, and the deliveries that were
pending when it stopped, which were cancelled by that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from deliveries.models import Delivery, DeliveryStatus, Event, Trigger
from deliveries.publishing import make_delivery
from deliveries.workers.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict
from subscriptions.identifiers import first_uuid7, uuid7_time
from subscriptions.models import AuditEntry, Endpoint

# So many are counted, and replayed at once: neither a page nor a transaction goes on for long.
MAX_REPLAYED_EVENTS = 1_000
_MAX_NEWEST_EVENTS = 5
_STOP_ACTIONS = ("endpoint.deactivate", "endpoint.suspend")
_START_ACTIONS = ("endpoint.activate", "endpoint.resume")
# How the reason of a delivery begins that was cancelled with its endpoint. The reason of one that a
# person stopped begins otherwise: that one was not missed.
_CANCELLED_WITH_ENDPOINT = "The webhook was "
# The audit entry is written a moment after the stop itself. Whatever else falls into this margin has
# a delivery, and is left out because of that.
_AUDIT_DELAY = timedelta(seconds=5)
# Retries are planned for days: a delivery that a stop cancelled is not older than this.
_MAX_PENDING_AGE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A count that stops at a bound: `is_more` says that there are more than `number`."""

    number: int
    is_more: bool

    @property
    def words(self) -> str:
        return f"{self.number:,} or more" if self.is_more else f"{self.number:,}"


class MissedEvent(NamedTuple):
    key: UUID
    topic: str
    event_id: str

    @property
    def published_at(self) -> datetime:
        return uuid7_time(self.key)


@dataclass(frozen=True, slots=True)
class MissedEvents:
    """What a webhook missed the last time it was off.

    until: None while it is still off. topics: how many of each topic were counted, the commonest
    first.
    """

    since: datetime
    until: datetime | None
    count: BoundedCount
    topics: list[tuple[str, int]]
    newest: list[MissedEvent]


def count_cancelled_by_stopping(endpoints: Iterable[Endpoint]) -> BoundedCount:
    """Count the deliveries that are cancelled if these are switched off. Index: delivery_due."""
    pending = Delivery.objects.filter(endpoint__in=list(endpoints), status=DeliveryStatus.PENDING)
    return _count(pending.exclude(trigger__in=(Trigger.TEST, Trigger.RESEND)))


def count_pending(endpoint: Endpoint) -> BoundedCount:
    """Count the endpoint's pending deliveries. Index: delivery_due."""
    return _count(Delivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.PENDING))


def _count(rows: QuerySet[Delivery]) -> BoundedCount:
    return _bounded(len(rows.order_by().values_list("pk")[: MAX_REPLAYED_EVENTS + 1]))


def _bounded(number: int) -> BoundedCount:
    return BoundedCount(min(number, MAX_REPLAYED_EVENTS), number > MAX_REPLAYED_EVENTS)


def find_missed_events(endpoint: Endpoint) -> MissedEvents | None:
    """What the endpoint missed the last time it was off; None if it never was.

    The endpoint comes with its broadcaster loaded.
    """
    period = _find_off_period(endpoint)
    if period is None:
        return None
    since, until = period
    cancelled = _cancelled(endpoint, since).values_list("event_id", "topic", "event__event_id")
    unsent = _unsent(endpoint, since, until).values_list("pk", "topic", "event_id")
    rows = cancelled.order_by().union(unsent.order_by(), all=True)[: MAX_REPLAYED_EVENTS + 1]
    events = sorted(MissedEvent(*row) for row in rows)
    return MissedEvents(
        since=since,
        until=until,
        count=_bounded(len(events)),
        topics=Counter(event.topic for event in events[:MAX_REPLAYED_EVENTS]).most_common(),
        newest=events[: -_MAX_NEWEST_EVENTS - 1 : -1],
    )


def _find_off_period(endpoint: Endpoint) -> tuple[datetime, datetime | None] | None:
    """From the last stop to the start after it, as the audit log has them; None if never off."""
    log = AuditEntry.objects.filter(
        broadcaster=endpoint.broadcaster,
        target=endpoint.public_id,
        action__in=_STOP_ACTIONS + _START_ACTIONS,
    )
    last = dict(log.order_by().values_list("action").annotate(Max("created_at")))
    started = max((last[action] for action in _START_ACTIONS if action in last), default=None)
    stopped = max((last[action] for action in _STOP_ACTIONS if action in last), default=None)
    if endpoint.is_sendable and started is None:
        return None
    # An endpoint that was added switched off has no entry of a stop.
    return stopped or endpoint.created_at, started if endpoint.is_sendable else None


def _unsent(endpoint: Endpoint, since: datetime, until: datetime | None) -> QuerySet[Event]:
    """Events that were published meanwhile and have no delivery to the endpoint.

    Indexes: event_page, event_page_topic.
    """
    rows = endpoint.broadcaster.events.filter(pk__gte=first_uuid7(since - _AUDIT_DELAY), test=False)
    if until is not None:
        rows = rows.filter(pk__lt=first_uuid7(until + _AUDIT_DELAY))
    if not endpoint.all_topics:
        rows = rows.filter(topic__in=endpoint.topics.values("name"))
    delivery = Delivery.objects.filter(event=OuterRef("pk"), endpoint=endpoint)
    return rows.exclude(Exists(delivery)).order_by("pk")


def _cancelled(endpoint: Endpoint, since: datetime) -> QuerySet[Delivery]:
    """Deliveries that the endpoint's stop has cancelled. Index: delivery_page_status."""
    recent = endpoint.broadcaster.deliveries.filter(pk__gte=first_uuid7(since - _MAX_PENDING_AGE))
    narrowed = recent.narrowed(
        endpoints=[endpoint.pk],
        status=DeliveryStatus.CANCELLED,
        completed_at__gte=since - _AUDIT_DELAY,
        status_reason__startswith=_CANCELLED_WITH_ENDPOINT,
        test=False,
    )
    return narrowed.matching.order_by("pk")


@transaction.atomic
def replay_missed_events(*, endpoint: Endpoint, actor: Actor) -> int:
    """Queue what the endpoint missed, the oldest thousand at most; returns how many that are.

    They get the platform's retries. Raises Conflict if the endpoint may not be sent to.
    """
    # Locked, so that two requests at once do not queue the same twice.
    locked = Endpoint.objects.select_for_update(of=("self",)).select_related(
        "broadcaster__platform"
    )
    endpoint = locked.get(pk=endpoint.pk)
    refuse_unless_sendable(endpoint)
    period = _find_off_period(endpoint)
    if period is None:
        return 0
    now = timezone.now()
    cancelled = _cancelled(endpoint, period[0]).values_list("pk", flat=True)
    requeued = _requeue(list(cancelled[:MAX_REPLAYED_EVENTS]), now)
    unsent = _unsent(endpoint, *period).defer("body")
    queued = requeued + _queue(endpoint, list(unsent[: MAX_REPLAYED_EVENTS - requeued]), now)
    if not queued:
        return 0
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.replay_missed",
        target=endpoint.public_id,
        after={"deliveries": queued},
    )
    wake_on_commit()
    return queued


def refuse_unless_sendable(endpoint: Endpoint) -> None:
    """Raise Conflict for an endpoint that may not be sent to."""
    if not endpoint.is_sendable:
        raise Conflict(
            f"The webhook {endpoint.name} is {endpoint.status.label.lower()}: switch it on first.",
            code="endpoint_not_active",
        )


def _requeue(keys: list[UUID], now: datetime) -> int:
    return Delivery.objects.filter(pk__in=keys, status=DeliveryStatus.CANCELLED).update(
        status=DeliveryStatus.PENDING,
        status_reason="",
        trigger=Trigger.REPLAY,
        scheduled_count=0,
        next_attempt_at=now,
        planned_at=None,
        completed_at=None,
    )


def _queue(endpoint: Endpoint, events: list[Event], now: datetime) -> int:
    max_attempts = endpoint.broadcaster.rules.max_requests
    deliveries = [
        make_delivery(event=event, endpoint=endpoint, max_attempts=max_attempts) for event in events
    ]
    for position, delivery in enumerate(deliveries):
        delivery.trigger = Trigger.REPLAY
        # A microsecond apart, so that they are claimed in the order in which they happened.
        delivery.created_at = now
        delivery.next_attempt_at = now + timedelta(microseconds=position)
    Delivery.objects.bulk_create(deliveries)
    return len(deliveries)
