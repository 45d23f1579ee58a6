"""Claiming: take due deliveries under a lease, many endpoints at a time.

A *lane* is an endpoint with something due. Lanes are taken in turn, each up to its quota, so that
one endpoint's backlog never stands before another's event.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from django.db import connection, transaction

from subscriptions.prepared import int_array, server_side

# The first half is the condition of the partial indexes; the second is looked up in the rows, of
# which no more than the slots in flight are passed over.
_DUE = "status = 'pending' AND lease_id IS NULL"
_DUE_D = "d.status = 'pending' AND d.lease_id IS NULL"

_SENDABLE = "e.deleted_at IS NULL AND e.active AND e.suspended_at IS NULL"
# As many due deliveries as this are looked through for their endpoints, oldest first.
WINDOW = 1000
LANES_A_LOOK = 500
# How long a lane that was long is looked at from where the last claim ended. What came to stand
# before that (an attempt cut short, an insert that took its time to commit) waits as long.
_KNOWN_SECONDS = 1.0
_NO_ID = 2**63 - 1
# A queue that was long is taken for long as long as this: one look less for each claim.
_LONG_SECONDS = 0.25

# Whose are the oldest due deliveries. While fewer are due than the window holds, these are all the
# lanes there are, and what is planned for later costs nothing. Index: delivery_due_oldest.
_OLDEST = f"""
SELECT due.endpoint_id, e.broadcaster_id, e.rate_limit, {_SENDABLE}, b.paused, due.deliveries
FROM (SELECT endpoint_id, count(*) AS deliveries FROM (
        SELECT endpoint_id FROM deliveries_delivery
        WHERE {_DUE} AND next_attempt_at <= %(now)s
        ORDER BY next_attempt_at LIMIT {WINDOW}) AS oldest
      GROUP BY endpoint_id) AS due
JOIN subscriptions_endpoint AS e ON e.id = due.endpoint_id
JOIN subscriptions_broadcaster AS b ON b.id = e.broadcaster_id
ORDER BY due.endpoint_id
"""  # noqa: S608  the parts are constants of this module  # nosec B608

# For a longer queue: walks the index from one endpoint to the next, a skip scan, whose cost grows
# with the endpoints that have something queued, not with how much is queued. Index: delivery_due.
# Lanes that are known to be long are not looked into: before what is due in them stands what is
# under way, and what was settled since the last VACUUM.
# One row asked for instead of EXISTS, of which a planner may make a join with the whole queue.
_LANES = f"""
WITH RECURSIVE lane(endpoint_id) AS (
    SELECT %(after)s
    UNION ALL
    SELECT (
        SELECT coalesce((
            SELECT d.endpoint_id FROM deliveries_delivery AS d
            WHERE d.status = 'pending'
            AND d.endpoint_id > lane.endpoint_id AND d.endpoint_id < known.next
            ORDER BY d.endpoint_id LIMIT 1), nullif(known.next, {_NO_ID}))
        FROM (SELECT coalesce(min(long.id), {_NO_ID}) AS next FROM {{long}}
              WHERE long.id > lane.endpoint_id) AS known)
    FROM lane WHERE lane.endpoint_id IS NOT NULL
)
SELECT lane.endpoint_id, e.broadcaster_id, e.rate_limit, {_SENDABLE}
FROM lane JOIN subscriptions_endpoint AS e ON e.id = lane.endpoint_id
JOIN subscriptions_broadcaster AS b ON b.id = e.broadcaster_id AND NOT b.paused
WHERE lane.endpoint_id > %(after)s AND (lane.endpoint_id IN (SELECT long.id FROM {{long}}) OR (
    SELECT 1 FROM deliveries_delivery AS d
    WHERE {_DUE_D} AND {{in_lane}}
    AND (d.endpoint_id, d.next_attempt_at) <= (lane.endpoint_id, %(now)s)
    ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1) = 1)
LIMIT %(limit)s
"""  # noqa: S608  the parts are constants of this module  # nosec B608
# ">=" says the same, with the pair below it. "=" would make the order by time alone good enough for
# PostgreSQL's planner, which then walks through everybody's queue (delivery_due_oldest): 20 ms a
# lane at 100,000 queued.
_LANES_POSTGRESQL = _LANES.replace("%(after)s", "%(after)s::bigint").format(
    in_lane="d.endpoint_id >= lane.endpoint_id", long="unnest(%(long)s::bigint[]) AS long(id)"
)
_LANES_SQLITE = _LANES.format(
    in_lane="d.endpoint_id = lane.endpoint_id",
    long="(SELECT value AS id FROM json_each(%(long)s)) AS long",
)

CLAIM_COLUMNS = (
    "id", "event_id", "endpoint_id", "broadcaster_id", "topic", "test", "trigger",
    "attempt_count", "scheduled_count", "max_attempts", "planned_at", "status_before", "failure",
    "status_code",
)  # fmt: skip
_COLUMNS = ", ".join(f'"{column}"' for column in CLAIM_COLUMNS)
_ENDPOINT = CLAIM_COLUMNS.index("endpoint_id")

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
        WHERE {_DUE_D} AND (d.endpoint_id, d.next_attempt_at) >= (lane.endpoint_id, lane.since)
            AND (d.endpoint_id, d.next_attempt_at) <= (lane.endpoint_id, %(now)s)
        ORDER BY d.endpoint_id, d.next_attempt_at LIMIT lane.quota FOR UPDATE SKIP LOCKED) AS d
)
UPDATE deliveries_delivery AS d SET lease_id = %(lease)s
WHERE d.ctid = ANY(ARRAY(SELECT ctid FROM picked))
RETURNING {", ".join(f'd."{column}"' for column in CLAIM_COLUMNS)}, d.next_attempt_at
"""  # noqa: S608  constants of this module  # nosec B608

_CLAIM_SQLITE = f"""
UPDATE deliveries_delivery SET lease_id = %s WHERE id IN (
    SELECT id FROM deliveries_delivery
    WHERE {_DUE} AND endpoint_id = %s AND next_attempt_at >= %s AND next_attempt_at <= %s
    ORDER BY next_attempt_at LIMIT %s)
RETURNING {_COLUMNS}, next_attempt_at
"""  # noqa: S608  constants of this module  # nosec B608


def is_anything_due(now: datetime) -> bool:
    """The cheapest look at the queue. Index: delivery_due_oldest."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM deliveries_delivery WHERE {_DUE} AND next_attempt_at <= %s LIMIT 1",  # noqa: S608  constants of this module  # nosec B608
            [_time(now)],
        )
        return cursor.fetchone() is not None


class Lane(NamedTuple):
    """An endpoint with something due, as it is at this moment."""

    endpoint_id: int
    broadcaster_id: int
    rate_limit: int | None  # requests per second
    is_sendable: bool


class LaneSearch:
    """Finds the lanes of the moment: all of them, or where the queue is long, the next ones in
    turn. Remembers where in a long lane the last claim ended."""

    def __init__(self, *, a_look: int = LANES_A_LOOK) -> None:
        self._a_look = a_look
        self._last = 0
        self._long_until = 0.0
        # By endpoint id: when what was last claimed was due, as the database has it.
        self._claimed_up_to: dict[int, Any] = {}
        self._forget_at = 0.0

    def look(self, now: datetime) -> list[Lane]:
        if time.monotonic() >= self._forget_at:
            self._claimed_up_to.clear()
            self._forget_at = time.monotonic() + _KNOWN_SECONDS
        if time.monotonic() >= self._long_until:
            lanes = _all_lanes(now)
            if lanes is not None:
                self._last = 0
                return lanes
            self._long_until = time.monotonic() + _LONG_SECONDS
        lanes = self._next_lanes(now)
        if not lanes and self._last:
            self._last = 0
            lanes = self._next_lanes(now)
        self._last = lanes[-1].endpoint_id if len(lanes) == self._a_look else 0
        return lanes

    def _next_lanes(self, now: datetime) -> list[Lane]:
        """In order of endpoint id, from beyond the last one seen."""
        place = {"after": self._last, "now": _time(now), "limit": self._a_look}
        if connection.vendor == "postgresql":
            found = _rows(_LANES_POSTGRESQL, place | {"long": int_array(self._claimed_up_to)})
        else:
            found = _rows(_LANES_SQLITE, place | {"long": json.dumps([*self._claimed_up_to])})
        return [Lane(row[0], row[1], row[2], bool(row[3])) for row in found]

    def claim(self, now: datetime, *, lease_id: int, quotas: Mapping[int, int]) -> Sequence[Any]:
        """As claim_rows; where a lane was long, from where the last claim ended."""
        rows = claim_rows(now, lease_id=lease_id, quotas=quotas, since=self._claimed_up_to)
        counts: Counter[int] = Counter()
        up_to: dict[int, Any] = {}
        for row in rows:
            endpoint_id, due_at = row[_ENDPOINT], row[-1]
            counts[endpoint_id] += 1
            if endpoint_id not in up_to or due_at > up_to[endpoint_id]:
                up_to[endpoint_id] = due_at
        for endpoint_id, quota in quotas.items():
            if counts[endpoint_id] == quota:
                self._claimed_up_to[endpoint_id] = up_to[endpoint_id]
            else:
                self._claimed_up_to.pop(endpoint_id, None)
        return rows


def _all_lanes(now: datetime) -> list[Lane] | None:
    """None where the queue is longer than the window."""
    rows = _rows(_OLDEST, {"now": _time(now)})
    # Paused ones count too: they take up the window.
    if sum(row[5] for row in rows) >= WINDOW:
        return None
    return [Lane(row[0], row[1], row[2], bool(row[3])) for row in rows if not row[4]]


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    if connection.vendor == "postgresql":
        return server_side(statement, parameters)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[Any] = cursor.fetchall()
        return found


def claim_rows(
    now: datetime,
    *,
    lease_id: int,
    quotas: Mapping[int, int],
    since: Mapping[int, Any] = MappingProxyType({}),
) -> Sequence[Any]:
    """Take up to `quotas[endpoint id]` due deliveries of each endpoint, oldest first.

    Committed before it returns: from then on the lease protects them. Rows are tuples of
    CLAIM_COLUMNS and of when the delivery was due, values as the database has them. `since`: what
    was due before is left out, by endpoint id.
    """
    if connection.vendor == "postgresql":
        places = [since[pk].isoformat() if pk in since else "-infinity" for pk in quotas]
        return server_side(
            _CLAIM_POSTGRESQL,
            {
                "endpoints": int_array(quotas),
                "quotas": int_array(quotas.values()),
                "since": f"{{{','.join(places)}}}",
                "now": now,
                "lease": lease_id,
            },
        )
    rows: list[Any] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for endpoint_id, quota in quotas.items():
            place = [endpoint_id, since.get(endpoint_id, ""), _time(now), quota]
            cursor.execute(_CLAIM_SQLITE, [lease_id, *place])
            rows += cursor.fetchall()
    return rows


def _time(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
