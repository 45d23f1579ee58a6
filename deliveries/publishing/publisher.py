"""Stores events: each is checked, its body made, and a delivery stored for each endpoint."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.instances import build
from deliveries.models import Delivery, DeliveryStatus, Event, Trigger
from deliveries.payload.canonical_json import JSONError, canonical
from deliveries.payload.envelope import PayloadError, make_body
from deliveries.workers.wake import wake_on_commit
from subscriptions.catalogue import resolve_topic_name
from subscriptions.errors import Conflict, Refused, SeveralRefused
from subscriptions.identifiers import encode_base32, uuid7
from subscriptions.models import Broadcaster, Endpoint

MAX_BATCH = 1_000
MAX_BODY_BYTES = 256 * 1024
_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Clocks differ a little; a time further ahead is a mistake in the publisher's units or zone.
_MAX_CLOCK_LEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as its publisher gives it.

    `data` is a JSON object; `event_id` is the publisher's own id, if it has one; `occurred_at` is
    aware, and now if it is None.
    """

    topic: str
    data: Mapping[str, Any]
    event_id: str | None = None
    occurred_at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A stored event and its deliveries. For a duplicate, they are those stored the first time."""

    event: Event
    deliveries: list[tuple[str, str]]  # (delivery public id, endpoint public id)
    duplicate: bool


def publish(
    *,
    broadcaster: Broadcaster,
    topic: str,
    data: Mapping[str, Any],
    event_id: str | None = None,
    occurred_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> Published:
    """Store an event with a delivery for each endpoint that wants its topic, or store nothing.

    It joins the caller's transaction, if there is one: what is rolled back was never published.
    The same id (or idempotency key) again with the same topic and data gives the first event.
    Raises Refused (topic, data or id not acceptable) or Conflict (that id with other content).
    """
    new = NewEvent(topic, data, event_id, occurred_at, idempotency_key)
    try:
        return publish_batch(broadcaster=broadcaster, events=[new])[0]
    except SeveralRefused as refused:
        fault = refused.faults[0]
        pointer = fault.pointer.removeprefix("/events/0")
        raise Refused(fault.detail, code=fault.code, pointer=pointer) from refused


def publish_batch(*, broadcaster: Broadcaster, events: Sequence[NewEvent]) -> list[Published]:
    """Store all of them, in order, in one transaction, or none.

    Raises SeveralRefused, which names each bad event by pointer (`/events/3/topic`), or Conflict.
    """
    if not 1 <= len(events) <= MAX_BATCH:
        raise Refused(
            f"{len(events)} events: a batch has 1 to {MAX_BATCH}.",
            code="batch_size",
            pointer="/events",
        )
    unsaved = _make_events(broadcaster, events, timezone.now())
    try:
        return _store(broadcaster, unsaved)
    except IntegrityError:
        # One of these ids was stored after we had looked for it: now it is found.
        return _store(broadcaster, unsaved)


def _make_events(
    broadcaster: Broadcaster, new_events: Sequence[NewEvent], now: datetime
) -> list[Event]:
    """Unsaved events, in the same order. Raises SeveralRefused with every fault."""
    unsaved: list[Event] = []
    faults: list[Refused] = []
    for index, new in enumerate(new_events):
        try:
            unsaved.append(make_event(broadcaster=broadcaster, new=new, now=now))
        except (Refused, JSONError, PayloadError) as error:
            pointer = error.pointer
            if not isinstance(error, Refused):
                pointer = f"/data{pointer}"
            faults.append(
                Refused(error.detail, code=error.code, pointer=f"/events/{index}{pointer}")
            )
    if faults:
        raise SeveralRefused(faults)
    return unsaved


def make_event(*, broadcaster: Broadcaster, new: NewEvent, now: datetime) -> Event:
    """An event with its body, unsaved.

    Raises Refused for the topic, id or time, JSONError or PayloadError for the data.
    """
    topic = resolve_topic_name(broadcaster.platform, new.topic)
    pk = uuid7()
    if new.event_id is not None:
        _check_event_id(new.event_id)
    event_id = new.event_id or _generate_event_id(pk)
    occurred_at = new.occurred_at or now
    _check_time(occurred_at, now)
    data_text = canonical(new.data) if isinstance(new.data, dict) else None
    body = make_body(
        broadcaster.rules.body,
        broadcaster_id=broadcaster.pk,
        topic=topic,
        event_id=event_id,
        occurred_at=occurred_at,
        data=new.data,
        data_text=data_text,
    )
    if len(body.encode()) > MAX_BODY_BYTES:
        raise Refused(
            f"The body would be {len(body.encode()):,} bytes: at most {MAX_BODY_BYTES:,}.",
            code="body_too_large",
            pointer="/data",
        )
    fingerprint = hashlib.sha256(f"{topic}\n{data_text}".encode()).hexdigest()
    return build(
        Event,
        related={"broadcaster": broadcaster},
        id=pk,
        broadcaster_id=broadcaster.pk,
        event_id=event_id,
        topic=topic,
        occurred_at=occurred_at,
        created_at=now,
        body=body,
        fingerprint=fingerprint,
        idempotency_key=new.idempotency_key or None,
        test=False,
    )


def _generate_event_id(pk: UUID) -> str:
    return f"evt_{encode_base32(pk.int, 26)}"


def _check_event_id(event_id: str) -> None:
    if not _EVENT_ID.fullmatch(event_id):
        raise Refused(
            f"The id {event_id[:80]!r} is not allowed: 1 to 64 letters, digits, '_' and '-'.",
            code="invalid_id",
            pointer="/id",
        )


def _check_time(occurred_at: datetime, now: datetime) -> None:
    if timezone.is_naive(occurred_at):
        raise Refused(
            f"occurred_at {occurred_at.isoformat()} has no time zone: give it one.",
            code="time_without_zone",
            pointer="/occurred_at",
        )
    if occurred_at > now + _MAX_CLOCK_LEAD:
        raise Refused(
            f"occurred_at {occurred_at.isoformat()} is more than a day ahead: give the time at "
            "which it happened, in UTC.",
            code="occurred_in_future",
            pointer="/occurred_at",
        )


@transaction.atomic
def _store(broadcaster: Broadcaster, events: Sequence[Event]) -> list[Published]:
    """Store those that are new, with their deliveries; the results are in the order of `events`."""
    known_events = _KnownEvents(broadcaster, events)
    new: list[Event] = []
    duplicates: list[Event] = []
    results: list[tuple[Event, bool]] = []
    for event in events:
        first = known_events.find(event)
        if first is None:
            known_events.add(event)
            new.append(event)
        else:
            duplicates.append(first)
        results.append((first or event, first is not None))
    current_store().insert(new)
    deliveries = _make_deliveries(broadcaster, new)
    current_store().insert(deliveries)
    if deliveries:
        wake_on_commit()
    ids = _collect_ids(deliveries, duplicates)
    return [Published(event, ids.get(event.pk, []), duplicate) for event, duplicate in results]


class _KnownEvents:
    """The first event of each id and idempotency key: stored before, or earlier in the batch."""

    def __init__(self, broadcaster: Broadcaster, events: Sequence[Event]) -> None:
        self._by_id: dict[str, Event] = {}
        self._by_key: dict[str, Event] = {}
        # A generated id is new; only ids that publishers gave are looked for.
        ids = [e.event_id for e in events if e.event_id != _generate_event_id(e.pk)]
        keys = [e.idempotency_key for e in events if e.idempotency_key]
        if not ids and not keys:
            return
        stored = broadcaster.events.all()
        for event in stored.filter(event_id__in=ids) if ids else ():
            self.add(event)
        for event in stored.filter(idempotency_key__in=keys) if keys else ():
            self.add(event)

    def add(self, event: Event) -> None:
        self._by_id[event.event_id] = event
        if event.idempotency_key:
            self._by_key[event.idempotency_key] = event

    def find(self, event: Event) -> Event | None:
        """The first event with the same id or key. Raises Conflict if its content differs."""
        first = self._by_id.get(event.event_id) or self._by_key.get(event.idempotency_key or "")
        if first is not None and first.fingerprint != event.fingerprint:
            raise Conflict(
                f"The id or idempotency key of this event was used for event {first.event_id}, "
                "with another topic or other data: give a new event a new id.",
                code="id_reused",
                pointer="/id",
            )
        return first


def _make_deliveries(broadcaster: Broadcaster, events: Sequence[Event]) -> list[Delivery]:
    endpoints_by_topic = {
        topic: Endpoint.objects.wanting(broadcaster, topic)
        for topic in {event.topic for event in events}
    }
    return [
        make_delivery(event=event, endpoint=endpoint, max_attempts=broadcaster.rules.max_requests)
        for event in events
        for endpoint in endpoints_by_topic[event.topic]
    ]


def make_delivery(*, event: Event, endpoint: Endpoint, max_attempts: int) -> Delivery:
    """An unsaved delivery, due now; cancelled if the endpoint is suspended, for a later resend."""
    suspended = endpoint.suspended_at is not None
    return build(
        Delivery,
        related={"event": event, "endpoint": endpoint},
        id=uuid7(),
        broadcaster_id=event.broadcaster_id,
        event_id=event.pk,
        endpoint_id=endpoint.pk,
        topic=event.topic,
        status=(DeliveryStatus.CANCELLED if suspended else DeliveryStatus.PENDING).value,
        status_reason="The webhook was suspended when this happened." if suspended else "",
        test=event.test,
        trigger=(Trigger.TEST if event.test else Trigger.PUBLISH).value,
        attempt_count=0,
        scheduled_count=0,
        max_attempts=1 if event.test else max_attempts,
        next_attempt_at=None if suspended else event.created_at,
        planned_at=None,
        status_before="",
        lease_id=None,
        failure="",
        status_code=None,
        created_at=event.created_at,
        completed_at=event.created_at if suspended else None,
    )


def _collect_ids(
    new: Iterable[Delivery], duplicates: Iterable[Event]
) -> dict[UUID, list[tuple[str, str]]]:
    """By the event's primary key: the public ids of its deliveries and of their endpoints."""
    ids: dict[UUID, list[tuple[str, str]]] = {}
    for delivery in new:
        _append_ids(ids, delivery)
    stored_before = [event.pk for event in duplicates if event.pk not in ids]
    if stored_before:
        for delivery in Delivery.objects.filter(event__in=stored_before).select_related("endpoint"):
            _append_ids(ids, delivery)
    return ids


def _append_ids(ids: dict[UUID, list[tuple[str, str]]], delivery: Delivery) -> None:
    ids.setdefault(delivery.event_id, []).append((delivery.public_id, delivery.endpoint.public_id))
