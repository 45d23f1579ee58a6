"""Claiming: take due deliveries under a lease, those of many endpoints at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction

from subscriptions.prepared_statements import int_array, server_side

# The first half is the condition of the partial indexes; the second is looked up in the rows.
DUE = "status = 'pending' AND lease_id IS NULL"
DUE_D = "d.status = 'pending' AND d.lease_id IS NULL"

CLAIM_COLUMNS = (
    "id", "event_id", "endpoint_id", "broadcaster_id", "topic", "test", "trigger",
    "attempt_count", "scheduled_count", "max_attempts", "planned_at", "status_before", "failure",
    "status_code",
)  # fmt: skip
_COLUMNS = ", ".join(f'"{column}"' for column in CLAIM_COLUMNS)
ENDPOINT = CLAIM_COLUMNS.index("endpoint_id")
_CLAIMED = ", ".join(
    f'd."{column}"::text' if column == "event_id" else f'd."{column}"' for column in CLAIM_COLUMNS
)

# Pairs are compared, and places given as an array, to leave the planner no choice where statistics
# are stale: by the index delivery_due, then straight to the rows, which stay where they are while
# they are locked. Measured: 12 ms per 500 rows instead of 2,000 at 10 million
# (python -m benchmarks.growth).
# SKIP LOCKED: pumps on other machines take other rows instead of waiting for these.
_CLAIM_POSTGRESQL = f"""
WITH picked AS (
    SELECT d.ctid FROM unnest(%(endpoints)s::bigint[], %(quotas)s::int[], %(since)s::timestamptz[])
        AS lane(endpoint_id, quota, since)
    CROSS JOIN LATERAL (
        SELECT d.ctid FROM deliveries_delivery AS d
        WHERE {DUE_D} AND (d.endpoint_id, d.next_attempt_at) >= (lane.endpoint_id, lane.since)
            AND (d.endpoint_id, d.next_attempt_at) <= (lane.endpoint_id, %(now)s)
        ORDER BY d.endpoint_id, d.next_attempt_at LIMIT lane.quota FOR UPDATE SKIP LOCKED) AS d
)
UPDATE deliveries_delivery AS d SET lease_id = %(lease)s
WHERE d.ctid = ANY(ARRAY(SELECT ctid FROM picked))
RETURNING {_CLAIMED}, d.next_attempt_at::text
"""  # noqa: S608  constants of this module  # nosec B608

_CLAIM_SQLITE = f"""
UPDATE deliveries_delivery SET lease_id = %s WHERE id IN (
    SELECT id FROM deliveries_delivery
    WHERE {DUE} AND endpoint_id = %s AND next_attempt_at >= %s AND next_attempt_at <= %s
    ORDER BY next_attempt_at LIMIT %s)
RETURNING {_COLUMNS}, next_attempt_at
"""  # noqa: S608  constants of this module  # nosec B608


def is_anything_due(now: datetime) -> bool:
    """The cheapest look at the queue. Index: delivery_due_oldest."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM deliveries_delivery WHERE {DUE} AND next_attempt_at <= %s LIMIT 1",  # noqa: S608  constants of this module  # nosec B608
            [database_time(now)],
        )
        return cursor.fetchone() is not None


def claim_rows(
    now: datetime,
    *,
    lease_id: int,
    quotas: Mapping[int, int],
    since: Mapping[int, Any] = MappingProxyType({}),
) -> Sequence[Any]:
    """Take up to `quotas[endpoint id]` due deliveries of each endpoint, oldest first.

    Committed before it returns: from then on the lease protects them. Rows are tuples of
    CLAIM_COLUMNS and of when the delivery was due: a text in UTC, so that texts sort as times do
    (a datetime takes psycopg longer than the rest of the row). `since`, by endpoint id: what was
    due before is left out. None: nothing is left out.
    """
    if connection.vendor == "postgresql":
        return server_side(
            _CLAIM_POSTGRESQL,
            {
                "endpoints": int_array(quotas),
                "quotas": int_array(quotas.values()),
                "since": f"{{{','.join(since_text(since.get(pk)) for pk in quotas)}}}",
                "now": now,
                "lease": lease_id,
            },
        )
    rows: list[Any] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for endpoint_id, quota in quotas.items():
            place = [endpoint_id, since_text(since.get(endpoint_id)), database_time(now), quota]
            cursor.execute(_CLAIM_SQLITE, [lease_id, *place])
            rows += cursor.fetchall()
    return rows


def database_time(value: datetime) -> Any:
    """As a parameter: PostgreSQL takes it as it is, SQLite as a text in UTC."""
    return connection.ops.adapt_datetimefield_value(value)


def since_text(place: Any) -> str:
    """When a delivery was due, or a `database_time`, as a parameter; None: the beginning."""
    if connection.vendor == "postgresql":
        return "-infinity" if place is None else str(place)
    return place or ""
