"""Hourly counters and endpoint health, added to in bulk; suspension where the count is reached."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain

from django.db import connection

from deliveries.dispatch.outcomes import Settled
from deliveries.dispatch.store.rows import sqlite_rows
from deliveries.models import DeliveryStatus, Outcome
from deliveries.models.stats import DURATION_BOUNDS_MS
from subscriptions.audit import SYSTEM
from subscriptions.endpoints.status import suspend_endpoint
from subscriptions.models import Endpoint
from subscriptions.prepared_statements import int_array, server_side

_BUCKETS = len(DURATION_BOUNDS_MS) + 1
_COUNTS = ("succeeded", "failed", "unknown", "exhausted", *(f"ms_{n}" for n in range(_BUCKETS)))
_PLACES = {name: place for place, name in enumerate(_COUNTS)}
_EXHAUSTED, _FIRST_BUCKET = _PLACES["exhausted"], _PLACES["ms_0"]
_HOUR_SECONDS = 3600


# Statements whose text is the same for any number of rows: PostgreSQL plans each once, and gets
# all counts as one array. SQLite gets row by row.
_ADD_COUNTS = f"""
INSERT INTO deliveries_endpointhour
    (endpoint_id, broadcaster_id, hour, shard, {", ".join(_COUNTS)})
{{rows}}
ON CONFLICT (hour, endpoint_id, shard) DO UPDATE SET
    {", ".join(f"{name} = deliveries_endpointhour.{name} + excluded.{name}" for name in _COUNTS)}
"""  # constants of this module  # nosec B608
_ADD_COUNTS_POSTGRESQL = _ADD_COUNTS.format(
    rows=f"""
SELECT endpoint_id, broadcaster_id, to_timestamp(hour * {_HOUR_SECONDS}), %(shard)s,
    {", ".join(f"counts[n * {len(_COUNTS)} - {back}]" for back in reversed(range(len(_COUNTS))))}
FROM (SELECT %(counts)s::int[] AS counts) AS given CROSS JOIN unnest(
    %(endpoints)s::bigint[], %(broadcasters)s::bigint[], %(hours)s::bigint[])
    WITH ORDINALITY AS place(endpoint_id, broadcaster_id, hour, n)
"""  # noqa: S608  constants of this module  # nosec B608
)
_ADD_COUNTS_SQLITE = _ADD_COUNTS.format(
    rows=f"VALUES (%s, %s, %s, %s, {', '.join(['%s'] * len(_COUNTS))})"
)


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
    if sums:
        _add_counts(sums, shard)


def _add_counts(sums: Mapping[tuple[int, int, int], list[int]], shard: int) -> None:
    # In order, so that two pumps at once lock rows in the same one.
    keys = sorted(sums)
    if connection.vendor == "postgresql":
        endpoints, broadcasters, hours = zip(*keys, strict=True)
        server_side(
            _ADD_COUNTS_POSTGRESQL,
            {
                "endpoints": int_array(endpoints),
                "broadcasters": int_array(broadcasters),
                "hours": int_array(hours),
                "shard": shard,
                "counts": int_array(chain.from_iterable(sums[key] for key in keys)),
            },
        )
        return
    rows = (
        (*key[:2], datetime.fromtimestamp(key[2] * _HOUR_SECONDS, UTC), shard, *sums[key])
        for key in keys
    )
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_COUNTS_SQLITE, list(sqlite_rows(rows)))


def note_health(outcomes: Sequence[Settled]) -> None:
    """Note last success, last failure and consecutive failures; suspend where it is due."""
    by_endpoint: dict[int, list[Settled]] = defaultdict(list)
    for settled in outcomes:
        # What failed on our side says nothing of the endpoint, and must not suspend it.
        if settled.attempt.outcome != Outcome.UNKNOWN and settled.attempt.failure != "internal":
            by_endpoint[settled.claim.endpoint_id].append(settled)
    if not by_endpoint:
        return
    rows = [(pk, *_health(batch)) for pk, batch in sorted(by_endpoint.items())]
    if connection.vendor == "postgresql":
        failures = dict(server_side(_HEALTH_POSTGRESQL, [*map(list, zip(*rows, strict=True))]))
    else:
        failures = {}
        with connection.cursor() as cursor:
            for row in sqlite_rows(rows):
                cursor.execute(_HEALTH_SQLITE, row)
                failures.update(cursor.fetchall())
    _suspend(by_endpoint, failures)


_HEALTH = """
INSERT INTO deliveries_endpointhealth (endpoint_id, consecutive_failures, last_success_at,
    last_failure_at, last_failure, last_status_code)
{rows}
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
_HEALTH_POSTGRESQL = _HEALTH.format(
    rows="SELECT * FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::timestamptz[], "
    "%s::text[], %s::int[])"
)
_HEALTH_SQLITE = _HEALTH.format(rows="VALUES (%s, %s, %s, %s, %s, %s)")


def _health(
    batch: Sequence[Settled],
) -> tuple[int, datetime | None, datetime | None, str, int | None]:
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
        success,
        failed.attempt.sent_at if failed else None,
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
        suspend_endpoint(endpoint=endpoint, reason=reason, actor=SYSTEM)
