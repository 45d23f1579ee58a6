"""Hourly counters and endpoint health, added to in bulk; suspension where the count is reached."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from deliveries.models import DeliveryStatus, Outcome
from deliveries.models.stats import DURATION_BOUNDS_MS
from deliveries.outcomes import Settled
from subscriptions.audit import SYSTEM
from subscriptions.endpoints import suspend
from subscriptions.models import Endpoint

_BUCKETS = len(DURATION_BOUNDS_MS) + 1
_COUNTS = ("succeeded", "failed", "unknown", "exhausted", *(f"ms_{n}" for n in range(_BUCKETS)))
_PLACES = {name: place for place, name in enumerate(_COUNTS)}
_EXHAUSTED, _FIRST_BUCKET = _PLACES["exhausted"], _PLACES["ms_0"]
_HOUR_SECONDS = 3600
_ADD = ", ".join(f"{name} = deliveries_endpointhour.{name} + excluded.{name}" for name in _COUNTS)


def _rows(row_count: int, width: int) -> str:
    row = f"({', '.join(['%s'] * width)})"
    return ", ".join([row] * row_count)


def _adapt(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def count(outcomes: Sequence[Settled], *, shard: int) -> None:
    """Add the attempts to the counters of their endpoint and hour, by one upsert."""
    sums: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * len(_COUNTS))
    for settled in outcomes:
        claim, attempt = settled.claim, settled.attempt
        hour = int(attempt.sent_at.timestamp() // _HOUR_SECONDS)
        counts = sums[claim.endpoint_id, claim.broadcaster_id, hour]
        counts[_PLACES[attempt.outcome]] += 1
        if settled.status == DeliveryStatus.FAILED:
            counts[_EXHAUSTED] += 1
        if attempt.responded_at is not None and attempt.duration_ms is not None:
            counts[_FIRST_BUCKET + bisect_left(DURATION_BOUNDS_MS, attempt.duration_ms)] += 1
    if not sums:
        return
    params: list[Any] = []
    for (endpoint_id, broadcaster_id, hour), counts in sorted(sums.items()):
        begin = datetime.fromtimestamp(hour * _HOUR_SECONDS, UTC)
        params += [endpoint_id, broadcaster_id, _adapt(begin), shard, *counts]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO deliveries_endpointhour "  # noqa: S608  constants of this module  # nosec B608
            f"(endpoint_id, broadcaster_id, hour, shard, {', '.join(_COUNTS)}) "
            f"VALUES {_rows(len(sums), 4 + len(_COUNTS))} "
            f"ON CONFLICT (endpoint_id, hour, shard) DO UPDATE SET {_ADD}",
            params,
        )


def note_health(outcomes: Sequence[Settled]) -> None:
    """Note last success, last failure and consecutive failures; suspend where it is due."""
    by_endpoint: dict[int, list[Settled]] = defaultdict(list)
    for settled in outcomes:
        # What failed on our side says nothing of the endpoint, and must not suspend it.
        if settled.attempt.outcome != Outcome.UNKNOWN and settled.attempt.failure != "internal":
            by_endpoint[settled.claim.endpoint_id].append(settled)
    if not by_endpoint:
        return
    params: list[Any] = []
    for endpoint_id, batch in sorted(by_endpoint.items()):
        params += [endpoint_id, *_health(batch)]
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH.format(rows=_rows(len(by_endpoint), 6)), params)
        failures = dict(cursor.fetchall())
    _suspend(by_endpoint, failures)


_HEALTH = """
INSERT INTO deliveries_endpointhealth (endpoint_id, consecutive_failures, last_success_at,
    last_failure_at, last_failure, last_status_code)
VALUES {rows}
ON CONFLICT (endpoint_id) DO UPDATE SET
    consecutive_failures = excluded.consecutive_failures + CASE
        WHEN excluded.last_success_at IS NULL
        THEN deliveries_endpointhealth.consecutive_failures ELSE 0 END,
    last_success_at = COALESCE(excluded.last_success_at, deliveries_endpointhealth.last_success_at),
    last_failure_at = COALESCE(excluded.last_failure_at, deliveries_endpointhealth.last_failure_at),
    last_failure = CASE WHEN excluded.last_failure_at IS NULL
        THEN deliveries_endpointhealth.last_failure ELSE excluded.last_failure END,
    last_status_code = COALESCE(excluded.last_status_code,
                                deliveries_endpointhealth.last_status_code)
RETURNING endpoint_id, consecutive_failures
"""


def _health(batch: Sequence[Settled]) -> tuple[int, Any, Any, str, int | None]:
    """Failures since the last success of the batch, and the last of each kind."""
    streak = 0
    success: datetime | None = None
    failed: Settled | None = None
    for settled in batch:
        if settled.attempt.outcome == Outcome.SUCCEEDED:
            streak, success = 0, settled.attempt.responded_at
        else:
            streak, failed = streak + 1, settled
    return (
        streak,
        _adapt(success),
        _adapt(failed.attempt.sent_at if failed else None),
        failed.attempt.failure if failed else "",
        batch[-1].attempt.status_code,
    )


def _suspend(by_endpoint: dict[int, list[Settled]], failures: dict[int, int]) -> None:
    for endpoint_id, batch in by_endpoint.items():
        gone = any(settled.attempt.failure == "gone" for settled in batch)
        limit = batch[0].claim.rules.suspend_after_failures
        if gone:
            reason = "it answered 410 Gone."
        elif limit and failures[endpoint_id] >= limit:
            reason = f"{failures[endpoint_id]} attempts in a row failed."
        else:
            continue
        endpoint = Endpoint.objects.select_related("broadcaster__platform").get(pk=endpoint_id)
        suspend(endpoint=endpoint, reason=reason, actor=SYSTEM)
