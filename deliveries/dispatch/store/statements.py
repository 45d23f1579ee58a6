"""The statements, or parts of statements, that both databases share."""

from __future__ import annotations

from typing import Any

from deliveries.dispatch.store.records import Settled
from deliveries.models.stats import DURATION_BOUNDS_MS

# The condition of the partial indexes delivery_due and delivery_due_oldest: pending, and claimed by
# nobody.
DUE = "status = 'pending' AND lease_id IS NULL"
DUE_D = "d.status = 'pending' AND d.lease_id IS NULL"

# How many due deliveries are looked through for their endpoints, oldest first.
WINDOW = 1000
# Larger than any endpoint's id.
NO_ID = 2**63 - 1

# Whose lane it is. Looked up for each lane that was found, by primary key: a planner that takes the
# endpoints for few would otherwise begin with all of them. is_sendable is
# EndpointQuerySet.sendable() in SQL.
OWNER = """
SELECT e.id, e.broadcaster_id, e.rate_limit,
    e.deleted_at IS NULL AND e.active AND e.suspended_at IS NULL AS is_sendable, b.paused
FROM subscriptions_endpoint AS e
JOIN subscriptions_broadcaster AS b ON b.id = e.broadcaster_id
"""

# The lanes of the oldest due deliveries. As long as fewer are due than the window holds, these are
# all the lanes there are, and what is planned for later costs nothing. Index: delivery_due_oldest.
OLDEST_LANES = """
SELECT lane.endpoint_id, owner.broadcaster_id, owner.rate_limit, owner.is_sendable, owner.paused,
    lane.deliveries
FROM (SELECT endpoint_id, sum(deliveries) AS deliveries FROM (
        SELECT endpoint_id, 1 AS deliveries FROM (
            SELECT endpoint_id FROM deliveries_delivery
            WHERE <due> AND next_attempt_at >= <since> AND next_attempt_at <= %(now)s
            ORDER BY next_attempt_at LIMIT <window>) AS oldest
        UNION ALL SELECT known.id, 0 FROM <known>) AS each
      GROUP BY endpoint_id) AS lane
<with owner>
ORDER BY lane.endpoint_id
"""

# For a longer queue: walks the index from one endpoint to the next, a skip scan, whose cost grows
# with the number of endpoints that have a queue, and not with the length of their queues. Lanes
# that are known are not probed: a long one begins with rows that are claimed, and with dead tuples
# that VACUUM has not reclaimed. One row is asked for instead of EXISTS, which a planner may turn
# into a join with the whole queue. Index: delivery_due.
NEXT_LANES = """
WITH RECURSIVE lane(endpoint_id) AS (
    SELECT <after>
    UNION ALL
    SELECT (
        SELECT coalesce((
            SELECT d.endpoint_id FROM deliveries_delivery AS d
            WHERE d.status = 'pending'
            AND (d.endpoint_id, d.next_attempt_at) > (lane.endpoint_id, 'infinity')
            AND (d.endpoint_id, d.next_attempt_at) < (ahead.id, '-infinity')
            ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1), nullif(ahead.id, <no id>))
        FROM (SELECT coalesce(min(known.id), <no id>) AS id FROM <known>
              WHERE known.id > lane.endpoint_id) AS ahead)
    FROM lane WHERE lane.endpoint_id IS NOT NULL
)
SELECT lane.endpoint_id, owner.broadcaster_id, owner.rate_limit, owner.is_sendable
FROM lane <with owner>
WHERE lane.endpoint_id > <after> AND NOT owner.paused
AND (lane.endpoint_id IN (SELECT known.id FROM <known>) OR (
    SELECT 1 FROM deliveries_delivery AS d
    WHERE <due d> AND <in lane>
    AND (d.endpoint_id, d.next_attempt_at) <= (lane.endpoint_id, %(now)s)
    ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1) = 1)
LIMIT %(limit)s
"""

# The new state of a delivery (d) after an outcome (s). What was put aside for a resend stays put
# aside until the resend has an outcome. What a person cancelled in flight stays cancelled, unless
# it arrived all the same.
NEW_STATE = """
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
# The columns of an outcome's state with their types, in the order of `state_of`.
STATE_COLUMNS = (
    ("status", "text"),
    ("status_reason", "text"),
    ("next_attempt_at", "timestamptz"),
    ("next_trigger", "text"),
    ("attempt_count", "int"),
    ("scheduled_count", "int"),
    ("failure", "text"),
    ("status_code", "smallint"),
)
STATE_NAMES = ", ".join(name for name, _ in STATE_COLUMNS)

# The counters of an endpoint's hour: outcomes, deliveries given up, and attempts by duration.
COUNTERS = (
    "succeeded",
    "failed",
    "unknown",
    "exhausted",
    *(f"ms_{number}" for number in range(len(DURATION_BOUNDS_MS) + 1)),
)

# Index: the unique one of (hour, endpoint, shard).
ADD_COUNTS = """
INSERT INTO deliveries_endpointhour (endpoint_id, broadcaster_id, hour, shard, <counters>)
<rows>
ON CONFLICT (hour, endpoint_id, shard) DO UPDATE SET <sums>
"""

# Index: the primary key.
UPDATE_HEALTH = """
INSERT INTO deliveries_endpointhealth (endpoint_id, consecutive_failures, last_success_at,
    last_failure_at, last_failure, last_status_code)
<rows>
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


def filled(statement: str, **parts: str) -> str:
    """The statement with each `<name>` replaced; `_` in a part's name stands for a space."""
    for name, text in parts.items():
        statement = statement.replace(f"<{name.replace('_', ' ')}>", text)
    return statement


ADD_COUNTS = filled(
    ADD_COUNTS,
    counters=", ".join(COUNTERS),
    sums=", ".join(
        f"{name} = deliveries_endpointhour.{name} + excluded.{name}" for name in COUNTERS
    ),
)


def state_of(settled: Settled) -> tuple[Any, ...]:
    """The values of STATE_COLUMNS."""
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
