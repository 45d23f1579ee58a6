"""What a webhook missed while it was switched off or suspended, and sending that after all."""

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
from deliveries.publishing.publisher import make_delivery
from deliveries.workers.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict
from subscriptions.identifiers import first_uuid7, uuid7_time
from subscriptions.models import AuditEntry, Endpoint

# As many are counted, and replayed at once: neither a page nor a transaction goes on for long.
MOST = 1_000
_SHOWN = 5
_STOPS = ("endpoint.deactivate", "endpoint.suspend")
_STARTS = ("endpoint.activate", "endpoint.resume")
# How the reasons begin that listeners, publish and settle give; what a person stopped is not ours.
_STOPPED_WITH_IT = "The webhook was "
# The audit entry is a moment younger than the stop. What was not missed has a delivery, and is
# left out by that.
_MARGIN = timedelta(seconds=5)
# Retries are planned for days; a delivery that a stop ended is not older than this.
_OLDEST_PENDING = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Count:
    """`is_more`: there are more than `number`, which is as far as was counted."""

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
class Missed:
    """Events that it wants and has not got, since it stopped. `until` is None while it is off."""

    since: datetime
    until: datetime | None
    count: Count
    topics: list[tuple[str, int]]  # of those counted, the commonest first
    newest: list[MissedEvent]


def ended_by_stopping(endpoints: Iterable[Endpoint]) -> Count:
    """How many pending deliveries are cancelled if these are switched off. Index: delivery_due."""
    pending = Delivery.objects.filter(endpoint__in=list(endpoints), status=DeliveryStatus.PENDING)
    return _count(pending.exclude(trigger__in=(Trigger.TEST, Trigger.RESEND)))


def waiting(endpoint: Endpoint) -> Count:
    """How many of its deliveries are pending. Index: delivery_due."""
    return _count(Delivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.PENDING))


def _count(rows: QuerySet[Delivery]) -> Count:
    found = len(rows.order_by().values_list("pk")[: MOST + 1])
    return Count(min(found, MOST), found > MOST)


def read_missed(endpoint: Endpoint) -> Missed | None:
    """Of the last time that it was off; None where it never was. With its broadcaster loaded."""
    window = _window(endpoint)
    if window is None:
        return None
    since, until = window
    cancelled = _cancelled(endpoint, since).values_list("event_id", "topic", "event__event_id")
    unsent = _unsent(endpoint, since, until).values_list("pk", "topic", "event_id")
    rows = cancelled.order_by().union(unsent.order_by(), all=True)[: MOST + 1]
    events = sorted(MissedEvent(*row) for row in rows)
    return Missed(
        since=since,
        until=until,
        count=Count(min(len(events), MOST), len(events) > MOST),
        topics=Counter(event.topic for event in events[:MOST]).most_common(),
        newest=events[: -_SHOWN - 1 : -1],
    )


def _window(endpoint: Endpoint) -> tuple[datetime, datetime | None] | None:
    """From the stop to the start after it, as the audit log has them."""
    log = AuditEntry.objects.filter(
        broadcaster=endpoint.broadcaster,
        target=endpoint.public_id,
        action__in=_STOPS + _STARTS,
    )
    last = dict(log.order_by().values_list("action").annotate(Max("created_at")))
    started = max((last[action] for action in _STARTS if action in last), default=None)
    stopped = max((last[action] for action in _STOPS if action in last), default=None)
    if endpoint.is_sendable and started is None:
        return None
    # One that was added switched off has no entry of a stop.
    return stopped or endpoint.created_at, started if endpoint.is_sendable else None


def _unsent(endpoint: Endpoint, since: datetime, until: datetime | None) -> QuerySet[Event]:
    """Published meanwhile, and there is no delivery. Indexes: event_page, event_page_topic."""
    rows = endpoint.broadcaster.events.filter(pk__gte=first_uuid7(since - _MARGIN), test=False)
    if until is not None:
        rows = rows.filter(pk__lt=first_uuid7(until + _MARGIN))
    if not endpoint.all_topics:
        rows = rows.filter(topic__in=endpoint.topics.values("name"))
    delivery = Delivery.objects.filter(event=OuterRef("pk"), endpoint=endpoint)
    return rows.exclude(Exists(delivery)).order_by("pk")


def _cancelled(endpoint: Endpoint, since: datetime) -> QuerySet[Delivery]:
    """Ended because it stopped. Index: delivery_page_status."""
    rows = endpoint.broadcaster.deliveries.all()
    narrowed = rows.filter(pk__gte=first_uuid7(since - _OLDEST_PENDING)).narrowed(
        endpoints=[endpoint.pk],
        status=DeliveryStatus.CANCELLED,
        completed_at__gte=since - _MARGIN,
        status_reason__startswith=_STOPPED_WITH_IT,
        test=False,
    )
    return narrowed.matching.order_by("pk")


@transaction.atomic
def replay_missed(*, endpoint: Endpoint, actor: Actor) -> int:
    """Queue what it missed, the oldest thousand at most, with the platform's retries; how many.

    Raises Conflict where it may not be sent to.
    """
    # Locked, so that two requests at once do not queue the same twice.
    locked = Endpoint.objects.select_for_update(of=("self",)).select_related(
        "broadcaster__platform"
    )
    endpoint = locked.get(pk=endpoint.pk)
    if not endpoint.is_sendable:
        raise Conflict(
            f"The webhook {endpoint.name} is {endpoint.status.label.lower()}: switch it on first.",
            code="endpoint_not_active",
        )
    window = _window(endpoint)
    if window is None:
        return 0
    now = timezone.now()
    revived = _revive(
        list(_cancelled(endpoint, window[0]).values_list("pk", flat=True)[:MOST]), now
    )
    made = _deliver(endpoint, list(_unsent(endpoint, *window).defer("body")[: MOST - revived]), now)
    if not revived + made:
        return 0
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.replay_missed",
        target=endpoint.public_id,
        after={"deliveries": revived + made},
    )
    wake_on_commit()
    return revived + made


def _revive(keys: list[UUID], now: datetime) -> int:
    return Delivery.objects.filter(pk__in=keys, status=DeliveryStatus.CANCELLED).update(
        status=DeliveryStatus.PENDING,
        status_reason="",
        trigger=Trigger.REPLAY,
        scheduled_count=0,
        next_attempt_at=now,
        planned_at=None,
        completed_at=None,
    )


def _deliver(endpoint: Endpoint, events: list[Event], now: datetime) -> int:
    requests = endpoint.broadcaster.rules.max_requests
    deliveries = [make_delivery(event=e, endpoint=endpoint, max_attempts=requests) for e in events]
    for position, delivery in enumerate(deliveries):
        delivery.trigger = Trigger.REPLAY
        # A microsecond apart, so that they are claimed in the order in which they happened.
        delivery.created_at = now
        delivery.next_attempt_at = now + timedelta(microseconds=position)
    Delivery.objects.bulk_create(deliveries)
    return len(deliveries)
