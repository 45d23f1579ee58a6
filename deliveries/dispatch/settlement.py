"""Settling: the outcomes of a batch of attempts, written in one transaction.

Delivery states go first and carry the fence: an outcome counts only where the delivery still
carries the lease of the run that sent it. What was lost to another run writes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DataError, connection, transaction
from django.utils import timezone

from deliveries.dispatch.health import count, note_health
from deliveries.dispatch.outcomes import Claim, Settled
from deliveries.dispatch.store.attempt_log import insert_attempts
from deliveries.dispatch.store.rows import sqlite_rows
from deliveries.models import Delivery
from deliveries.models.delivery import STOPPED
from subscriptions.prepared_statements import server_side, uuid_array

logger = logging.getLogger(__name__)
# What was put aside for a resend stays put aside until the resend has an outcome.
# What a person stopped while it was under way stays stopped, unless it arrived all the same.
_SET = """
    status = CASE WHEN d.status <> 'pending' AND s.status <> 'delivered'
                  THEN d.status ELSE s.status END,
    next_attempt_at = CASE WHEN d.status <> 'pending' THEN NULL ELSE s.next_attempt_at END,
    status_reason = CASE WHEN d.status <> 'pending' AND s.status <> 'delivered'
                         THEN d.status_reason ELSE s.status_reason END,
    completed_at = CASE WHEN s.status = 'pending' AND d.status = 'pending'
                        THEN NULL ELSE s.settled_at END,
    "trigger" = s.next_trigger, attempt_count = s.attempt_count,
    scheduled_count = s.scheduled_count, failure = s.failure, status_code = s.status_code,
    planned_at = CASE WHEN s.status = 'pending' AND s.next_trigger = 'resend'
                      THEN d.planned_at ELSE NULL END,
    status_before = CASE WHEN s.status = 'pending' AND s.next_trigger = 'resend'
                         THEN d.status_before ELSE '' END,
    lease_id = NULL
"""
_STATE_COLUMNS = (
    ("status", "text"), ("status_reason", "text"), ("next_attempt_at", "timestamptz"),
    ("next_trigger", "text"), ("attempt_count", "int"), ("scheduled_count", "int"),
    ("failure", "text"), ("status_code", "smallint"),
)  # fmt: skip
_State = tuple[Any, ...]
_NAMES = ", ".join(name for name, _ in _STATE_COLUMNS)


def _update(states: str, matching: str) -> str:
    """Answers one row where some were not found, with the ids of those that were; none where all
    were."""
    # "+ 0": the planner takes a plain lease_id for a rare value, and would start from it.
    return f"""
WITH ours AS (
    UPDATE deliveries_delivery AS d SET {_SET} FROM ({states}) AS s
    WHERE {matching} AND d.lease_id + 0 = %s RETURNING d.id
)
SELECT array_agg(id) FROM ours HAVING count(*) < %s
"""  # noqa: S608  constants of this module  # nosec B608


_UPDATE_ALIKE = _update(
    f"SELECT {', '.join(f'%s::{kind} AS {name}' for name, kind in _STATE_COLUMNS)}, "
    "%s::timestamptz AS settled_at",
    "d.id = ANY(%s::uuid[])",
)
_UPDATE_EACH = _update(
    f"""
    SELECT *, %s::timestamptz AS settled_at
    FROM unnest(%s::uuid[], {", ".join(f"%s::{kind}[]" for _, kind in _STATE_COLUMNS)})
         AS given(id, {_NAMES})
    """,  # noqa: S608  constants of this module  # nosec B608
    "d.id = s.id",
)
_UPDATE_SQLITE = f"""
UPDATE deliveries_delivery AS d SET {_SET}
FROM (SELECT {", ".join(f"%s AS {name}" for name in ("id", *_NAMES.split(", "), "settled_at"))}) AS s
WHERE d.id = s.id AND d.lease_id = %s RETURNING id
"""  # noqa: S608  constants of this module  # nosec B608


def settle(outcomes: Sequence[Settled], *, lease_id: int, shard: int) -> int:
    """Write attempts, delivery states, hourly counters and health; suspend where it is due.

    Returns how many outcomes counted. After an exception none is written, and the same call may
    be made again. One that the database cannot hold is written without what came back, alone: it
    must not take the others of its batch with it.
    """
    if not outcomes:
        return 0
    try:
        return _settle_together(outcomes, lease_id, shard)
    except DataError:
        if len(outcomes) > 1:
            return sum(settle([one], lease_id=lease_id, shard=shard) for one in outcomes)
        logger.exception("the outcome of delivery %s does not fit", outcomes[0].claim.delivery_id)
        return _settle_together([_bare(outcomes[0])], lease_id, shard)


def _bare(settled: Settled) -> Settled:
    """The outcome with nothing of the receiver's in its log row."""
    attempt = settled.attempt._replace(
        failure=settled.attempt.failure and "internal",
        remote_address="",
        request_headers=(),
        response_headers=(),
        response_body=b"",
        evidence={"reason": "unrecordable"},
    )
    return settled._replace(attempt=attempt)


def _settle_together(outcomes: Sequence[Settled], lease_id: int, shard: int) -> int:
    now = timezone.now()
    # In order of id: two pumps that settle at once lock rows in the same order.
    ordered = sorted(outcomes, key=lambda settled: settled.claim.delivery_id.int)
    with transaction.atomic():
        ours = _update_deliveries(ordered, lease_id, now)
        kept = outcomes
        if len(ours) < len(outcomes):
            found = set(ours)
            kept = [settled for settled in outcomes if settled.claim.delivery_id in found]
        insert_attempts(kept)
        counted = [settled for settled in kept if not settled.claim.test]
        count(counted, shard=shard)
        note_health(counted)
    return len(kept)


def cancel_stopped(claims: Sequence[Claim], *, lease_id: int) -> None:
    """End deliveries whose endpoint may not be sent to any more."""
    Delivery.objects.filter(pk__in=[c.delivery_id for c in claims], lease_id=lease_id).update(
        status=STOPPED,
        status_reason="The webhook was not active when its time came.",
        next_attempt_at=None,
        planned_at=None,
        lease_id=None,
        completed_at=timezone.now(),
    )


def _state(settled: Settled) -> _State:
    return (
        settled.status,
        settled.status_reason,
        settled.next_attempt_at,
        settled.trigger,
        settled.attempt.number,
        settled.scheduled_count,
        settled.attempt.failure,
        settled.attempt.status_code,
    )


def _update_deliveries(outcomes: Sequence[Settled], lease_id: int, now: datetime) -> list[UUID]:
    """The ids of those that still carried the lease."""
    states = [_state(settled) for settled in outcomes]
    if connection.vendor == "postgresql":
        return _update_postgresql(outcomes, states, lease_id, now)
    ours: list[UUID] = []
    with connection.cursor() as cursor:
        pairs = zip(outcomes, states, strict=True)
        for state in sqlite_rows((s.claim.delivery_id, *state, now) for s, state in pairs):
            cursor.execute(_UPDATE_SQLITE, [*state, lease_id])
            ours += [UUID(row[0]) for row in cursor.fetchall()]
    return ours


def _update_postgresql(
    outcomes: Sequence[Settled], states: Sequence[_State], lease_id: int, now: datetime
) -> list[UUID]:
    """Those of the state that most have go by their ids alone, the others each with its own."""
    usual, _ = Counter(states).most_common(1)[0]
    alike: list[UUID] = []
    others: list[tuple[UUID, _State]] = []
    for settled, state in zip(outcomes, states, strict=True):
        if state == usual:
            alike.append(settled.claim.delivery_id)
        else:
            others.append((settled.claim.delivery_id, state))
    ours = _found(_UPDATE_ALIKE, [*usual, now, uuid_array(alike), lease_id], alike)
    if others:
        ids = [pk for pk, _ in others]
        columns = map(list, zip(*(state for _, state in others), strict=True))
        ours += _found(_UPDATE_EACH, [now, ids, *columns, lease_id], ids)
    return ours


def _found(statement: str, parameters: list[Any], ids: list[UUID]) -> list[UUID]:
    """Those of the ids that the update found."""
    some = server_side(statement, [*parameters, len(ids)])
    return (some[0][0] or []) if some else ids
