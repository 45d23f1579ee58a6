"""Lanes: which endpoints have something due.

They are taken in turn, each up to its quota, so that one endpoint's backlog never stands before
another's event.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from deliveries.dispatch.store.claims import (
    DUE,
    DUE_D,
    ENDPOINT,
    claim_rows,
    database_time,
    since_text,
)
from subscriptions.prepared_statements import int_array, server_side

_SENDABLE = "e.deleted_at IS NULL AND e.active AND e.suspended_at IS NULL"
# As many due deliveries as this are looked through for their endpoints, oldest first.
WINDOW = 1000
LANES_A_LOOK = 500
# As long as this, a look begins where a whole one has seen that nothing older is left: before that
# stands what was settled since the last VACUUM, which may be hours of it (pg_dump holds VACUUM
# off). What comes to stand there meanwhile (given back by a run that ended, put back to an earlier
# plan, an insert that took longer than _LATE to commit, or any time for a long lane, a broadcaster
# that is no longer paused) waits for the next whole look; those that take long come more seldom.
_KNOWN_SECONDS = 1.0
_ONE_IN = 20
_MAX_PAUSE_SECONDS = 10.0
_LATE = timedelta(seconds=5)
_NO_ID = 2**63 - 1
# A queue that was long is taken for long at least as long as this: one look less for each claim.
_LONG_SECONDS = 0.25

# Whose a lane is, asked for each one that is found: a planner that takes endpoints for few would
# start from them.
_OWNER = f"""
SELECT e.id, e.broadcaster_id, e.rate_limit, {_SENDABLE} AS is_sendable, b.paused
FROM subscriptions_endpoint AS e
JOIN subscriptions_broadcaster AS b ON b.id = e.broadcaster_id
"""  # noqa: S608  constants of this module  # nosec B608
_WITH_OWNER_POSTGRESQL = (
    f"CROSS JOIN LATERAL ({_OWNER} WHERE e.id = lane.endpoint_id OFFSET 0) AS owner"
)
_WITH_OWNER_SQLITE = f"JOIN ({_OWNER}) AS owner ON owner.id = lane.endpoint_id"

# Whose are the oldest due deliveries. While fewer are due than the window holds, these are all the
# lanes there are, and what is planned for later costs nothing. Index: delivery_due_oldest.
_OLDEST = f"""
SELECT lane.endpoint_id, owner.broadcaster_id, owner.rate_limit, owner.is_sendable, owner.paused,
    lane.deliveries
FROM (SELECT endpoint_id, sum(deliveries) AS deliveries FROM (
        SELECT endpoint_id, 1 AS deliveries FROM (
            SELECT endpoint_id FROM deliveries_delivery
            WHERE {DUE} AND next_attempt_at >= {{since}} AND next_attempt_at <= %(now)s
            ORDER BY next_attempt_at LIMIT {WINDOW}) AS oldest
        UNION ALL SELECT known.id, 0 FROM {{known}}) AS each
      GROUP BY endpoint_id) AS lane
{{with_owner}}
ORDER BY lane.endpoint_id
"""  # noqa: S608  the parts are constants of this module  # nosec B608

# For a longer queue: walks the index from one endpoint to the next, a skip scan, whose cost grows
# with the endpoints that have something queued, not with how much is queued. Index: delivery_due.
# Lanes that are known are not looked into: before what is due in a long one stands what is under
# way, and what was settled since the last VACUUM.
# One row asked for instead of EXISTS, of which a planner may make a join with the whole queue.
_LANES = f"""
WITH RECURSIVE lane(endpoint_id) AS (
    SELECT %(after)s
    UNION ALL
    SELECT (
        SELECT coalesce((
            SELECT d.endpoint_id FROM deliveries_delivery AS d
            WHERE d.status = 'pending'
            AND (d.endpoint_id, d.next_attempt_at) > (lane.endpoint_id, 'infinity')
            AND (d.endpoint_id, d.next_attempt_at) < (ahead.id, '-infinity')
            ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1), nullif(ahead.id, {_NO_ID}))
        FROM (SELECT coalesce(min(known.id), {_NO_ID}) AS id FROM {{known}}
              WHERE known.id > lane.endpoint_id) AS ahead)
    FROM lane WHERE lane.endpoint_id IS NOT NULL
)
SELECT lane.endpoint_id, owner.broadcaster_id, owner.rate_limit, owner.is_sendable
FROM lane {{with_owner}}
WHERE lane.endpoint_id > %(after)s AND NOT owner.paused AND (lane.endpoint_id IN (SELECT known.id FROM {{known}}) OR (
    SELECT 1 FROM deliveries_delivery AS d
    WHERE {DUE_D} AND {{in_lane}}
    AND (d.endpoint_id, d.next_attempt_at) <= (lane.endpoint_id, %(now)s)
    ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1) = 1)
LIMIT %(limit)s
"""  # noqa: S608  the parts are constants of this module  # nosec B608
_KNOWN_POSTGRESQL = "unnest(%(known)s::bigint[]) AS known(id)"
_KNOWN_SQLITE = "(SELECT value AS id FROM json_each(%(known)s)) AS known"
# ">=" says the same, with the pair below it. "=" would make the order by time alone good enough for
# PostgreSQL's planner, which then walks through everybody's queue (delivery_due_oldest): 20 ms a
# lane at 100,000 queued.
_LANES_POSTGRESQL = _LANES.replace("%(after)s", "%(after)s::bigint").format(
    in_lane="d.endpoint_id >= lane.endpoint_id",
    known=_KNOWN_POSTGRESQL,
    with_owner=_WITH_OWNER_POSTGRESQL,
)
_LANES_SQLITE = _LANES.format(
    in_lane="d.endpoint_id = lane.endpoint_id", known=_KNOWN_SQLITE, with_owner=_WITH_OWNER_SQLITE
)
_OLDEST_POSTGRESQL = _OLDEST.format(
    since="%(since)s::timestamptz", known=_KNOWN_POSTGRESQL, with_owner=_WITH_OWNER_POSTGRESQL
)
_OLDEST_SQLITE = _OLDEST.format(
    since="%(since)s", known=_KNOWN_SQLITE, with_owner=_WITH_OWNER_SQLITE
)


class Lane(NamedTuple):
    """An endpoint with something due, as it is at this moment."""

    endpoint_id: int
    broadcaster_id: int
    rate_limit: int | None  # requests per second
    is_sendable: bool


class LaneSearch:
    """Finds the lanes of the moment: all of them, or where the queue is long, the next ones in
    turn. Remembers from when on something may be due."""

    def __init__(self, *, a_look: int = LANES_A_LOOK) -> None:
        self._a_look = a_look
        self._last = self._looked_from = 0
        self._long_until = 0.0
        # Endpoints that had something due, and from when on, as the database has it; None: ever.
        self._known: dict[int, Any] = {}
        # From when on it may be due elsewhere.
        self._since: Any = None
        self._forget_at = 0.0

    def look(self, now: datetime) -> list[Lane]:
        begin = time.monotonic()
        self._looked_from = self._last
        is_whole = begin >= self._forget_at
        if is_whole:
            self._known.clear()
            self._since = None
        lanes = None
        if begin >= self._long_until:
            lanes = self._all_lanes(now)
            self._long_until = 0.0 if lanes is not None else _pause(begin, _LONG_SECONDS)
        if lanes is None:
            lanes = self._lanes_in_turn(now)
        if is_whole:
            self._forget_at = _pause(begin, _KNOWN_SECONDS)
        return lanes

    def stay(self) -> None:
        """Of many lanes, the next look is at the same ones as the last."""
        self._last = self._looked_from

    def forget(self) -> None:
        """Something was given back: the next look is a whole one."""
        self._forget_at = 0.0

    def _all_lanes(self, now: datetime) -> list[Lane] | None:
        """None where the queue is longer than the window."""
        rows = _rows(
            _OLDEST_POSTGRESQL if connection.vendor == "postgresql" else _OLDEST_SQLITE,
            {"now": database_time(now), "since": since_text(self._since), "known": self._ids()},
        )
        # Paused ones count too: they take up the window.
        if sum(row[5] for row in rows) >= WINDOW:
            return None
        self._last = 0
        self._remember([row[0] for row in rows], now)
        return [Lane(row[0], row[1], row[2], bool(row[3])) for row in rows if not row[4]]

    def _lanes_in_turn(self, now: datetime) -> list[Lane]:
        begun_after = self._last
        lanes = self._next_lanes(now)
        if not lanes and begun_after:
            begun_after = self._last = 0
            lanes = self._next_lanes(now)
        self._last = lanes[-1].endpoint_id if len(lanes) == self._a_look else 0
        if not begun_after and not self._last:
            self._remember([lane.endpoint_id for lane in lanes], now)
        return lanes

    def _remember(self, endpoint_ids: list[int], now: datetime) -> None:
        """After a whole look: these are all that have something due."""
        if self._since is None:
            self._since = database_time(now - _LATE)
            self._known = {pk: self._known.get(pk) for pk in endpoint_ids}
            self._long_until = 0.0

    def _next_lanes(self, now: datetime) -> list[Lane]:
        """In order of endpoint id, from beyond the last one seen."""
        rows = _rows(
            _LANES_POSTGRESQL if connection.vendor == "postgresql" else _LANES_SQLITE,
            {
                "after": self._last,
                "now": database_time(now),
                "known": self._ids(),
                "limit": self._a_look,
            },
        )
        return [Lane(row[0], row[1], row[2], bool(row[3])) for row in rows]

    def _ids(self) -> str:
        """Of the endpoints that are known, as a parameter."""
        if connection.vendor == "postgresql":
            return int_array(self._known)
        return json.dumps([*self._known])

    def claim(
        self, now: datetime, *, lease_id: int, quotas: Mapping[int, int]
    ) -> tuple[Sequence[Any], Counter[int]]:
        """As claim_rows, from when on something may be due; also how many of each endpoint."""
        since = {pk: self._known.get(pk, self._since) for pk in quotas}
        rows = claim_rows(now, lease_id=lease_id, quotas=quotas, since=since)
        counts: Counter[int] = Counter()
        up_to: dict[int, Any] = {}
        for row in rows:
            endpoint_id, due_at = row[ENDPOINT], row[-1]
            counts[endpoint_id] += 1
            if endpoint_id not in up_to or due_at > up_to[endpoint_id]:
                up_to[endpoint_id] = due_at
        for endpoint_id, quota in quotas.items():
            # Who gave the one that was asked for may well have had no more.
            if counts[endpoint_id] == quota and (quota > 1 or endpoint_id in self._known):
                self._known[endpoint_id] = up_to[endpoint_id]
            else:
                self._known.pop(endpoint_id, None)
        return rows, counts


def _pause(begin: float, seconds: float) -> float:
    """When to look again, in monotonic seconds, after a look that began at `begin`: it takes one
    part in _ONE_IN of our time."""
    end = time.monotonic()
    return end + min(max(seconds, _ONE_IN * (end - begin)), _MAX_PAUSE_SECONDS)


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    if connection.vendor == "postgresql":
        return server_side(statement, parameters)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[Any] = cursor.fetchall()
        return found
