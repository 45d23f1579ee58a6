"""A month of finished deliveries for the demonstration, made the way that real ones are.

The rows of the log come from the dispatcher's own decisions and inserts, so that no page can tell
them from those of deliveries that were sent. Memory holds one slice at a time. Each slice is one
transaction, so that an interruption leaves no half-made delivery.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from deliveries.demo.receivers import RECEIVERS
from deliveries.demo.webhooks import DemoWebhook, ensure_webhooks
from deliveries.dispatch.health import count_attempts, update_health
from deliveries.dispatch.outcomes import decide, record_unknown
from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.records import Claim, Settled
from deliveries.models import Attempt, Delivery, DeliveryStatus, Event, Trigger
from deliveries.payload.envelope import make_body
from subscriptions.errors import Conflict
from subscriptions.identifiers import encode_base32, uuid7_at
from subscriptions.models import Broadcaster, Endpoint, Topic
from subscriptions.platforms.rules import PlatformRules

DAYS = 30
# Deliveries in one transaction: others who want to write on SQLite wait for no more than that.
_SLICE_SIZE = 2_000
_ATTEMPTS_PER_COUNT = 1_000
# Busy by day, quiet at night: how far the rate goes up and down around its mean.
_DAY_SWING = 0.6
_CUT_SHORT_SHARE = 0.0003
_STOPPED_REASON = "Stopped by hand."


@dataclass(frozen=True, slots=True)
class _Tenant:
    """A broadcaster with its topics, how frequent each is, and the webhooks that want it."""

    broadcaster: Broadcaster
    rules: PlatformRules
    topics: Sequence[Topic]
    weights: Sequence[float]
    wanting: dict[str, list[DemoWebhook]]


@dataclass(frozen=True, slots=True)
class _Slice:
    events: list[Event]
    deliveries: list[Delivery]
    attempts: list[Settled]


def add_history(
    broadcasters: Sequence[Broadcaster],
    *,
    deliveries: int,
    now: datetime,
    rng: random.Random,
    progress: Callable[[int], None],
) -> None:
    """Add that many deliveries of the last 30 days, with events, attempts and hourly counters.

    progress: called after each slice with the number made so far. The first broadcaster gets half of
    them. Raises PortalError if there is no webhook to deliver to, or none may be made.
    """
    tenants = [tenant for b in broadcasters if (tenant := _tenant(b, now)).topics]
    if not tenants:
        raise Conflict(
            "The demonstration's webhooks were deleted or switched off: a history needs one of "
            f"{', '.join(receiver.name for receiver in RECEIVERS)}.",
            code="no_webhook",
        )
    made = 0
    for part in _slices(tenants, deliveries, now, rng):
        made += len(part.deliveries)
        _store(part, is_last=made >= deliveries)
        progress(made)
    # Until autovacuum has run, the planner would take the tables for as small as they were.
    current_store().analyze(Event, Delivery, Attempt)


def _tenant(broadcaster: Broadcaster, now: datetime) -> _Tenant:
    topics = list(broadcaster.platform.topics.order_by("position", "name"))
    webhooks = ensure_webhooks(broadcaster, topics, now=now, since=now - timedelta(days=DAYS))
    wanting = {
        topic.name: [
            webhooks[endpoint.pk]
            for endpoint in Endpoint.objects.wanting(broadcaster, topic.name)
            if endpoint.pk in webhooks
        ]
        for topic in topics
    }
    known = [topic for topic in topics if wanting[topic.name]]
    weights = [1 / (n + 1) for n in range(len(known))]
    return _Tenant(broadcaster, broadcaster.rules, known, weights, wanting)


def _slices(
    tenants: Sequence[_Tenant], deliveries: int, now: datetime, rng: random.Random
) -> Iterator[_Slice]:
    """The slices, oldest first, so that the indexes on time grow at their ends."""
    shares = [1.0] * len(tenants)
    shares[0] = max(1.0, len(tenants) - 1.0)
    part = _Slice([], [], [])
    made = 0
    while made < deliveries:
        (tenant,) = rng.choices(tenants, shares)
        (topic,) = rng.choices(tenant.topics, tenant.weights)
        at = _moment_of((made + rng.random()) / deliveries, now)
        event = _event(tenant, topic, at, rng)
        part.events.append(event)
        for webhook in tenant.wanting[topic.name][: deliveries - made]:
            delivery, attempts = _delivery(tenant, event, webhook, now, rng)
            part.deliveries.append(delivery)
            part.attempts.extend(attempts)
            made += 1
        if len(part.deliveries) >= _SLICE_SIZE or made >= deliveries:
            yield part
            part = _Slice([], [], [])


def _moment_of(share: float, now: datetime) -> datetime:
    """The moment by which this share of the month's events had happened."""
    waves = 2 * math.pi * DAYS
    share += _DAY_SWING * math.sin(waves * share) / waves
    return now - timedelta(days=DAYS) * max(0.0, 1 - share)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000


def _event(tenant: _Tenant, topic: Topic, at: datetime, rng: random.Random) -> Event:
    key = uuid7_at(_nanoseconds(at))
    event_id = f"evt_{encode_base32(key.int, 26)}"
    body = make_body(
        tenant.rules.body,
        broadcaster_id=tenant.broadcaster.pk,
        topic=topic.name,
        event_id=event_id,
        occurred_at=at,
        data=_vary(topic.sample_data, rng),
    )
    return Event(
        id=key,
        broadcaster_id=tenant.broadcaster.pk,
        event_id=event_id,
        topic=topic.name,
        occurred_at=at,
        created_at=at,
        body=body,
        fingerprint=hashlib.sha256(body.encode()).hexdigest(),
    )


def _vary(value: Any, rng: random.Random, name: str = "") -> Any:
    """The sample with other ids, and another customer's address."""
    if isinstance(value, dict):
        return {key: _vary(item, rng, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_vary(item, rng, name) for item in value]
    if isinstance(value, str) and "@" in value:
        return f"customer{rng.randrange(100_000)}@example.com"
    if not name.lower().endswith("id") or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return rng.randrange(10_000, 10_000_000)
    return f"{value[:4]}{rng.randrange(16**8):08x}" if isinstance(value, str) else value


def _delivery(
    tenant: _Tenant, event: Event, webhook: DemoWebhook, now: datetime, rng: random.Random
) -> tuple[Delivery, list[Settled]]:
    key = uuid7_at(_nanoseconds(event.created_at))
    first = Claim(
        delivery_id=key,
        event_key=str(event.pk),
        endpoint_id=webhook.endpoint.pk,
        broadcaster_id=tenant.broadcaster.pk,
        topic=event.topic,
        test=False,
        trigger=Trigger.PUBLISH,
        attempt_count=0,
        scheduled_count=0,
        max_attempts=tenant.rules.max_requests,
        planned_at=None,
        status_before="",
        failure="",
        status_code=None,
        rules=tenant.rules,
        url=webhook.receiver.url,
    )
    attempts = list(_attempts(first, event, webhook, now, rng))
    last = attempts[-1]
    is_open = last.status == DeliveryStatus.PENDING
    ended_at = last.attempt.responded_at or last.attempt.sent_at
    delivery = Delivery(
        id=key,
        broadcaster_id=first.broadcaster_id,
        event_id=event.pk,
        endpoint_id=first.endpoint_id,
        topic=event.topic,
        status=DeliveryStatus.CANCELLED if is_open else last.status,
        status_reason=_STOPPED_REASON if is_open else last.status_reason,
        trigger=last.trigger,
        attempt_count=last.attempt.number,
        scheduled_count=last.scheduled_count,
        max_attempts=first.max_attempts,
        failure=last.attempt.failure,
        status_code=last.attempt.status_code,
        created_at=event.created_at,
        completed_at=now if is_open else ended_at,
    )
    return delivery, attempts


def _attempts(
    claim: Claim, event: Event, webhook: DemoWebhook, now: datetime, rng: random.Random
) -> Iterator[Settled]:
    """The attempts up to the end of the delivery, or to now."""
    at = event.created_at + timedelta(milliseconds=rng.uniform(5, 60))
    while True:
        settled = _attempt(claim, event, webhook, at, now, rng)
        attempt = settled.attempt._replace(id=uuid7_at(_nanoseconds(at)))
        yield settled._replace(attempt=attempt)
        due = settled.next_attempt_at
        if due is None or due > now:
            return
        claim = claim._replace(
            trigger=settled.trigger,
            attempt_count=attempt.number,
            scheduled_count=settled.scheduled_count,
            failure=attempt.failure,
            status_code=attempt.status_code,
        )
        at = due + timedelta(milliseconds=rng.uniform(5, 900))


def _attempt(
    claim: Claim,
    event: Event,
    webhook: DemoWebhook,
    at: datetime,
    now: datetime,
    rng: random.Random,
) -> Settled:
    if rng.random() < _CUT_SHORT_SHARE:
        return record_unknown(claim, at)
    result = webhook.receiver.respond(at, now=now, rng=rng)
    headers = webhook.headers(event.event_id, event.body.encode(), at)
    return decide(claim, result, headers=headers)


@transaction.atomic
def _store(part: _Slice, *, is_last: bool) -> None:
    store = current_store()
    store.insert(part.events)
    store.insert(part.deliveries)
    attempts = sorted(part.attempts, key=lambda settled: settled.attempt.sent_at)
    store.insert_attempts(attempts)
    for start in range(0, len(attempts), _ATTEMPTS_PER_COUNT):
        count_attempts(attempts[start : start + _ATTEMPTS_PER_COUNT], shard=0)
    if is_last:
        # Only the last slice says how the endpoints do now.
        update_health(attempts)
