"""The store on PostgreSQL: prepared statements, arrays as parameters, many rows by binary COPY."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection, models

from deliveries.dispatch.store import planner, postgresql_copy
from deliveries.dispatch.store.records import (
    CLAIM_COLUMNS,
    HealthChange,
    HourKey,
    LaneRow,
    Settled,
)
from deliveries.dispatch.store.statements import (
    ADD_COUNTS,
    COUNTERS,
    DUE,
    DUE_D,
    NEW_STATE,
    NEXT_LANES,
    NO_ID,
    OLDEST_LANES,
    OWNER,
    STATE_COLUMNS,
    STATE_NAMES,
    UPDATE_HEALTH,
    WINDOW,
    filled,
    state_of,
)
from subscriptions.prepared_statements import int_array, server_side, uuid_array

_IS_ANYTHING_DUE = filled(
    # Index: delivery_due_oldest.
    "SELECT 1 FROM deliveries_delivery WHERE <due> AND next_attempt_at <= %s LIMIT 1",
    due=DUE,
)

# LATERAL with OFFSET 0 keeps the planner from beginning with the endpoints.
_WITH_OWNER = filled(
    "CROSS JOIN LATERAL (<owner> WHERE e.id = lane.endpoint_id OFFSET 0) AS owner", owner=OWNER
)
_KNOWN = "unnest(%(known)s::bigint[]) AS known(id)"
OLDEST = filled(
    OLDEST_LANES,
    due=DUE,
    since="%(since)s::timestamptz",
    window=str(WINDOW),
    known=_KNOWN,
    with_owner=_WITH_OWNER,
)
# "in lane" is said by ">=" together with the pair that follows it. With "=" PostgreSQL's planner
# would take the order by time alone for good enough, and walk through everybody's queue by
# delivery_due_oldest: 20 ms for each lane at 100,000 queued.
NEXT = filled(
    NEXT_LANES,
    after="%(after)s::bigint",
    known=_KNOWN,
    no_id=str(NO_ID),
    due_d=DUE_D,
    in_lane="d.endpoint_id >= lane.endpoint_id",
    with_owner=_WITH_OWNER,
)

# Pairs are compared, and places given as an array, to leave the planner no choice if statistics are
# stale: by the index delivery_due, then straight to the rows by ctid, which stay where they are
# while they are locked. Measured: 12 ms per 500 rows instead of 2,000 at 10 million
# (python -m benchmarks.growth). SKIP LOCKED: pumps on other machines take other rows instead of
# waiting for these.
_CLAIM = filled(
    """
WITH picked AS (
    SELECT d.ctid FROM unnest(%(endpoints)s::bigint[], %(quotas)s::int[], %(since)s::timestamptz[])
        AS lane(endpoint_id, quota, since)
    CROSS JOIN LATERAL (
        SELECT d.ctid FROM deliveries_delivery AS d
        WHERE <due d> AND (d.endpoint_id, d.next_attempt_at) >= (lane.endpoint_id, lane.since)
            AND (d.endpoint_id, d.next_attempt_at) <= (lane.endpoint_id, %(now)s)
        ORDER BY d.endpoint_id, d.next_attempt_at LIMIT lane.quota FOR UPDATE SKIP LOCKED) AS d
)
UPDATE deliveries_delivery AS d SET lease_id = %(lease)s
WHERE d.ctid = ANY(ARRAY(SELECT ctid FROM picked))
RETURNING <columns>, d.next_attempt_at::text
""",
    due_d=DUE_D,
    columns=", ".join(
        f'd."{name}"::text' if name == "event_id" else f'd."{name}"' for name in CLAIM_COLUMNS
    ),
)

# Index: the primary key.
_BODIES = "SELECT id::text, event_id, body FROM deliveries_event WHERE id = ANY(%s::uuid[])"

# Answers one row if some deliveries were not found, with the ids of those that were; no row if all
# were. Index: the primary key; "+ 0" because the planner takes a plain lease_id for a rare value,
# and would begin with it.
_UPDATE = """
WITH ours AS (
    UPDATE deliveries_delivery AS d SET <new state> FROM (<states>) AS s
    WHERE <matching> AND d.lease_id + 0 = %s RETURNING d.id
)
SELECT array_agg(id) FROM ours HAVING count(*) < %s
"""
# Most deliveries of a batch go to the same state: their ids are enough.
_UPDATE_ALIKE = filled(
    _UPDATE,
    new_state=NEW_STATE,
    states="SELECT "
    + "".join(f"%s::{kind} AS {name}, " for name, kind in STATE_COLUMNS)
    + "%s::timestamptz AS settled_at",
    matching="d.id = ANY(%s::uuid[])",
)
_UPDATE_EACH = filled(
    _UPDATE,
    new_state=NEW_STATE,
    states=filled(
        "SELECT *, %s::timestamptz AS settled_at FROM unnest(%s::uuid[], <arrays>)"
        " AS given(id, <names>)",
        arrays=", ".join(f"%s::{kind}[]" for _, kind in STATE_COLUMNS),
        names=STATE_NAMES,
    ),
    matching="d.id = s.id",
)

# The text is the same for any number of rows, so that PostgreSQL plans it once: all counts come as
# one array.
_ADD_COUNTS = filled(
    ADD_COUNTS,
    rows=filled(
        """
SELECT endpoint_id, broadcaster_id, to_timestamp(hour * 3600), %(shard)s, <counts>
FROM (SELECT %(counts)s::int[] AS counts) AS given CROSS JOIN unnest(
    %(endpoints)s::bigint[], %(broadcasters)s::bigint[], %(hours)s::bigint[])
    WITH ORDINALITY AS place(endpoint_id, broadcaster_id, hour, n)
""",
        counts=", ".join(
            f"counts[n * {len(COUNTERS)} - {back}]" for back in reversed(range(len(COUNTERS)))
        ),
    ),
)
_UPDATE_HEALTH = filled(
    UPDATE_HEALTH,
    rows="SELECT * FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::timestamptz[], "
    "%s::text[], %s::int[])",
)


class PostgreSQLStore:
    """See `protocol.Store`. A place is a text in UTC, which psycopg reads faster than a moment."""

    is_commit_expensive = False

    def place(self, moment: datetime) -> Any:
        return moment

    def is_anything_due(self, now: datetime) -> bool:
        return bool(server_side(_IS_ANYTHING_DUE, [now]))

    def oldest_lanes(self, now: datetime, *, since: Any, known: Collection[int]) -> list[LaneRow]:
        parameters = {"now": now, "since": _place(since), "known": int_array(known)}
        return [LaneRow(*row) for row in server_side(OLDEST, parameters)]

    def next_lanes(
        self, now: datetime, *, after: int, known: Collection[int], limit: int
    ) -> list[LaneRow]:
        parameters = {"now": now, "after": after, "known": int_array(known), "limit": limit}
        return [LaneRow(*row) for row in server_side(NEXT, parameters)]

    def claim(
        self,
        now: datetime,
        *,
        lease_id: int,
        quotas: Mapping[int, int],
        since: Mapping[int, Any] = MappingProxyType({}),
    ) -> Sequence[Sequence[Any]]:
        return server_side(
            _CLAIM,
            {
                "endpoints": int_array(quotas),
                "quotas": int_array(quotas.values()),
                "since": "{" + ",".join(_place(since.get(pk)) for pk in quotas) + "}",
                "now": now,
                "lease": lease_id,
            },
        )

    def bodies(self, event_keys: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        found = server_side(_BODIES, ["{" + ",".join(event_keys) + "}"])
        return {key: (event_id, body.encode()) for key, event_id, body in found}

    def update_deliveries(
        self, outcomes: Sequence[Settled], *, lease_id: int, now: datetime
    ) -> list[UUID]:
        states = [state_of(settled) for settled in outcomes]
        usual, _ = Counter(states).most_common(1)[0]
        alike: list[UUID] = []
        others: list[tuple[UUID, tuple[Any, ...]]] = []
        for settled, state in zip(outcomes, states, strict=True):
            if state == usual:
                alike.append(settled.claim.delivery_id)
            else:
                others.append((settled.claim.delivery_id, state))
        ours = _updated(_UPDATE_ALIKE, [*usual, now, uuid_array(alike), lease_id], alike)
        if others:
            ids = [pk for pk, _ in others]
            columns = map(list, zip(*(state for _, state in others), strict=True))
            ours += _updated(_UPDATE_EACH, [now, ids, *columns, lease_id], ids)
        return ours

    def insert_attempts(self, outcomes: Sequence[Settled]) -> None:
        postgresql_copy.copy_attempts(outcomes)

    def add_counts(self, sums: Mapping[HourKey, Sequence[int]], *, shard: int) -> None:
        # Sorted, so that two pumps lock rows in the same order.
        keys = sorted(sums)
        endpoints, broadcasters, hours = zip(*keys, strict=True)
        server_side(
            _ADD_COUNTS,
            {
                "endpoints": int_array(endpoints),
                "broadcasters": int_array(broadcasters),
                "hours": int_array(hours),
                "shard": shard,
                "counts": int_array(chain.from_iterable(sums[key] for key in keys)),
            },
        )

    def update_health(self, changes: Sequence[HealthChange]) -> dict[int, int]:
        return dict(server_side(_UPDATE_HEALTH, [*map(list, zip(*changes, strict=True))]))

    def insert(self, rows: Sequence[models.Model]) -> None:
        if rows:
            postgresql_copy.insert_or_copy(rows)

    def planning_by_index(self) -> AbstractContextManager[None]:
        return planner.planning_by_index()

    def analyze(self, *models: type[models.Model]) -> None:
        tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


def _place(place: Any) -> str:
    return "-infinity" if place is None else str(place)


def _updated(statement: str, parameters: list[Any], ids: list[UUID]) -> list[UUID]:
    """Those of the ids that the update found."""
    some = server_side(statement, [*parameters, len(ids)])
    return (some[0][0] or []) if some else ids
