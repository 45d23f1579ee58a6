"""What outcomes add up to: hourly counters, the health of endpoints, and their suspension."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from deliveries.diagnosis import Failure
from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.records import HealthChange, HourKey, Settled
from deliveries.dispatch.store.statements import COUNTERS
from deliveries.models import DeliveryStatus, Outcome
from deliveries.models.stats import DURATION_BOUNDS_MS
from subscriptions.audit import SYSTEM
from subscriptions.endpoints.status import suspend_endpoint
from subscriptions.models import Endpoint

_PLACES = {name: place for place, name in enumerate(COUNTERS)}
_EXHAUSTED, _FIRST_BUCKET = _PLACES["exhausted"], _PLACES["ms_0"]
_HOUR_SECONDS = 3600


def count_attempts(outcomes: Sequence[Settled], *, shard: int) -> None:
    """Add the attempts to the counters of their endpoint and hour."""
    sums: dict[HourKey, list[int]] = defaultdict(lambda: [0] * len(COUNTERS))
    for settled in outcomes:
        claim, attempt = settled.claim, settled.attempt
        hour = int(attempt.sent_at.timestamp() // _HOUR_SECONDS)
        counts = sums[HourKey(claim.endpoint_id, claim.broadcaster_id, hour)]
        counts[_PLACES[attempt.outcome]] += 1
        if settled.status == DeliveryStatus.FAILED:
            counts[_EXHAUSTED] += 1
        if attempt.responded_at is not None and attempt.duration_ms is not None:
            counts[_FIRST_BUCKET + bisect_left(DURATION_BOUNDS_MS, attempt.duration_ms)] += 1
    if sums:
        current_store().add_counts(sums, shard=shard)


def update_health(outcomes: Sequence[Settled]) -> None:
    """Note last success, last failure and failures in a row; suspend an endpoint if it is time."""
    by_endpoint: dict[int, list[Settled]] = defaultdict(list)
    for settled in outcomes:
        # A failure of our own says nothing about the endpoint, and must not suspend it.
        attempt = settled.attempt
        if attempt.outcome != Outcome.UNKNOWN and attempt.failure != Failure.INTERNAL:
            by_endpoint[settled.claim.endpoint_id].append(settled)
    if by_endpoint:
        changes = [_health_change(pk, batch) for pk, batch in sorted(by_endpoint.items())]
        _suspend(by_endpoint, current_store().update_health(changes))


def _health_change(endpoint_id: int, batch: Sequence[Settled]) -> HealthChange:
    failures_in_a_row = 0
    last_success_at: datetime | None = None
    failed: Settled | None = None
    for settled in batch:
        if settled.attempt.outcome == Outcome.SUCCEEDED:
            failures_in_a_row, last_success_at = 0, settled.attempt.responded_at
        else:
            failures_in_a_row, failed = failures_in_a_row + 1, settled
    return HealthChange(
        endpoint_id,
        failures_in_a_row,
        last_success_at,
        failed.attempt.sent_at if failed else None,
        failed.attempt.failure if failed else "",
        batch[-1].attempt.status_code,
    )


def _suspend(
    by_endpoint: Mapping[int, Sequence[Settled]], failures_in_a_row: Mapping[int, int]
) -> None:
    for endpoint_id, batch in by_endpoint.items():
        is_gone = any(settled.attempt.failure == Failure.GONE for settled in batch)
        limit = batch[0].claim.rules.suspend_after_failures
        if is_gone:
            reason = "it answered 410 Gone."
        elif limit and failures_in_a_row[endpoint_id] >= limit:
            reason = f"{failures_in_a_row[endpoint_id]} attempts in a row failed."
        else:
            continue
        endpoint = Endpoint.objects.select_related("broadcaster__platform").get(pk=endpoint_id)
        suspend_endpoint(endpoint=endpoint, reason=reason, actor=SYSTEM)
