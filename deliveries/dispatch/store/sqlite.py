"""The store on SQLite: one statement after the other, within the one writer's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from deliveries.dispatch.store.attempt_log import ATTEMPT_COLUMNS, text_row
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
    STATE_NAMES,
    UPDATE_HEALTH,
    WINDOW,
    filled,
    state_of,
)
from deliveries.models import Event

_IS_ANYTHING_DUE = filled(
    # Index: delivery_due_oldest.
    "SELECT 1 FROM deliveries_delivery WHERE <due> AND next_attempt_at <= %s LIMIT 1",
    due=DUE,
)
_WITH_OWNER = filled("JOIN (<owner>) AS owner ON owner.id = lane.endpoint_id", owner=OWNER)
_KNOWN = "(SELECT value AS id FROM json_each(%(known)s)) AS known"
_OLDEST = filled(
    OLDEST_LANES,
    due=DUE,
    since="%(since)s",
    window=str(WINDOW),
    known=_KNOWN,
    with_owner=_WITH_OWNER,
)
_NEXT = filled(
    NEXT_LANES,
    after="%(after)s",
    known=_KNOWN,
    no_id=str(NO_ID),
    due_d=DUE_D,
    in_lane="d.endpoint_id = lane.endpoint_id",
    with_owner=_WITH_OWNER,
)
# Index: delivery_due.
_CLAIM = filled(
    """
UPDATE deliveries_delivery SET lease_id = %s WHERE id IN (
    SELECT id FROM deliveries_delivery
    WHERE <due> AND endpoint_id = %s AND next_attempt_at >= %s AND next_attempt_at <= %s
    ORDER BY next_attempt_at LIMIT %s)
RETURNING <columns>, next_attempt_at
""",
    due=DUE,
    columns=", ".join(f'"{name}"' for name in CLAIM_COLUMNS),
)
# Index: the primary key.
_UPDATE = filled(
    """
UPDATE deliveries_delivery AS d SET <new state> FROM (SELECT <values>) AS s
WHERE d.id = s.id AND d.lease_id = %s RETURNING id
""",
    new_state=NEW_STATE,
    values=", ".join(f"%s AS {name}" for name in ("id", *STATE_NAMES.split(", "), "settled_at")),
)
_INSERT_ATTEMPTS = filled(
    "INSERT INTO deliveries_attempt (<columns>) VALUES (<values>)",
    columns=", ".join(f'"{column.name}"' for column in ATTEMPT_COLUMNS),
    values=", ".join(["%s"] * len(ATTEMPT_COLUMNS)),
)
_ADD_COUNTS = filled(
    ADD_COUNTS, rows=f"VALUES (%s, %s, %s, %s, {', '.join(['%s'] * len(COUNTERS))})"
)
_UPDATE_HEALTH = filled(UPDATE_HEALTH, rows="VALUES (%s, %s, %s, %s, %s, %s)")

_ID, _TEST, _PLANNED_AT = map(CLAIM_COLUMNS.index, ("id", "test", "planned_at"))


class SQLiteStore:
    """See `protocol.Store`. A place is a text in UTC, as SQLite keeps moments."""

    is_commit_expensive = True

    def place(self, moment: datetime) -> Any:
        return connection.ops.adapt_datetimefield_value(moment)

    def is_anything_due(self, now: datetime) -> bool:
        return bool(_rows(_IS_ANYTHING_DUE, [self.place(now)]))

    def oldest_lanes(self, now: datetime, *, since: Any, known: Collection[int]) -> list[LaneRow]:
        parameters = {"now": self.place(now), "since": since or "", "known": json.dumps([*known])}
        return [_lane(*row) for row in _rows(_OLDEST, parameters)]

    def next_lanes(
        self, now: datetime, *, after: int, known: Collection[int], limit: int
    ) -> list[LaneRow]:
        parameters = {
            "now": self.place(now),
            "after": after,
            "known": json.dumps([*known]),
            "limit": limit,
        }
        return [_lane(*row) for row in _rows(_NEXT, parameters)]

    def claim(
        self,
        now: datetime,
        *,
        lease_id: int,
        quotas: Mapping[int, int],
        since: Mapping[int, Any] = MappingProxyType({}),
    ) -> Sequence[Sequence[Any]]:
        claimed: list[Any] = []
        until = self.place(now)
        with transaction.atomic():
            for endpoint_id, quota in quotas.items():
                begin = since.get(endpoint_id) or ""
                claimed += _rows(_CLAIM, [lease_id, endpoint_id, begin, until, quota])
        return [_typed(row) for row in claimed]

    def bodies(self, event_keys: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        found = Event.objects.filter(pk__in=event_keys).values_list("pk", "event_id", "body")
        return {pk.hex: (event_id, body.encode()) for pk, event_id, body in found}

    def update_deliveries(
        self, outcomes: Sequence[Settled], *, lease_id: int, now: datetime
    ) -> list[UUID]:
        states = ((s.claim.delivery_id, *state_of(s), now) for s in outcomes)
        ours: list[UUID] = []
        for state in _adapted(states):
            ours += [UUID(row[0]) for row in _rows(_UPDATE, [*state, lease_id])]
        return ours

    def insert_attempts(self, outcomes: Sequence[Settled]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT_ATTEMPTS, list(_adapted(map(text_row, outcomes))))

    def add_counts(self, sums: Mapping[HourKey, Sequence[int]], *, shard: int) -> None:
        rows = (
            (
                key.endpoint_id,
                key.broadcaster_id,
                datetime.fromtimestamp(key.hour * 3600, UTC),
                shard,
                *counts,
            )
            for key, counts in sorted(sums.items())
        )
        with connection.cursor() as cursor:
            cursor.executemany(_ADD_COUNTS, list(_adapted(rows)))

    def update_health(self, changes: Sequence[HealthChange]) -> dict[int, int]:
        failures: dict[int, int] = {}
        for change in _adapted(changes):
            failures.update(_rows(_UPDATE_HEALTH, change))
        return failures

    def insert(self, rows: Sequence[models.Model]) -> None:
        if not rows:
            return
        meta = type(rows[0])._meta
        fields = meta.concrete_fields
        statement = filled(
            "INSERT INTO <table> (<columns>) VALUES (<values>)",
            table=connection.ops.quote_name(meta.db_table),
            columns=", ".join(f'"{field.column}"' for field in fields),
            values=", ".join(["%s"] * len(fields)),
        )
        values = attrgetter(*(field.attname for field in fields))
        with connection.cursor() as cursor:
            cursor.executemany(statement, list(_adapted(values(row) for row in rows)))

    def planning_by_index(self) -> AbstractContextManager[None]:
        return nullcontext()

    def analyze(self, *models: type[models.Model]) -> None:
        """SQLite's planner needs no telling: the hot path's statements name their index's columns."""


def _rows(statement: str, parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[Any] = cursor.fetchall()
        return found


def _lane(
    endpoint_id: int,
    broadcaster_id: int,
    rate_limit: int | None,
    is_sendable: int,
    is_paused: int = 0,
    due_count: int = 0,
) -> LaneRow:
    return LaneRow(
        endpoint_id, broadcaster_id, rate_limit, bool(is_sendable), bool(is_paused), due_count
    )


def _typed(row: Sequence[Any]) -> list[Any]:
    """A claimed row with the types that PostgreSQL gives: SQLite knows no UUID, moment or truth."""
    values = list(row)
    values[_ID] = UUID(values[_ID])
    values[_TEST] = bool(values[_TEST])
    planned_at = values[_PLANNED_AT]
    if isinstance(planned_at, str):
        planned_at = parse_datetime(planned_at)
    if planned_at is not None and timezone.is_naive(planned_at):
        planned_at = planned_at.replace(tzinfo=UTC)
    values[_PLANNED_AT] = planned_at
    return values


def _adapted(rows: Iterable[Iterable[Any]]) -> Iterator[list[Any]]:
    """The values as SQLite's columns hold them: UUIDs as hex, moments as texts in UTC."""
    moment = connection.ops.adapt_datetimefield_value
    adapters: dict[type, Callable[[Any], Any]] = {UUID: attrgetter("hex"), datetime: moment}
    for row in rows:
        yield [adapters[type(v)](v) if type(v) in adapters else v for v in row]
