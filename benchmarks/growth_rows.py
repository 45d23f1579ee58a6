"""Millions of events, deliveries and attempts, made by PostgreSQL itself in the real tables.

Row n happened n steps of STEP_MS before the moment of the load, so that a table of any size ends
now. Indexes and constraints are taken away for the load and put back as they were: the schema
afterwards is the migrated one, and that is checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

STEP_MS = 700
# A prime, so that neighbours in time go to endpoints that are far apart.
SCATTER = 7919
RARE_TOPIC = "payout.completed"
_TABLES = ("deliveries_event", "deliveries_delivery", "deliveries_attempt")
_SESSION = """
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
SET max_parallel_maintenance_workers = 0;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '512MB';
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Endpoints have consecutive ids; each broadcaster has equally many, and ids `stride` apart.

    `now_ms`: the Unix milliseconds of the newest row.
    """

    first_endpoint: int
    endpoints: int
    first_broadcaster: int
    stride: int
    per_broadcaster: int
    now_ms: int

    def endpoint(self) -> str:
        """Return SQL for the endpoint of row n."""
        return f"{self.first_endpoint} + n::bigint * {SCATTER} % {self.endpoints}"

    def tenant(self) -> str:
        """Return SQL for the broadcaster of row n."""
        position = f"n::bigint * {SCATTER} % {self.endpoints} / {self.per_broadcaster}"
        return f"{self.first_broadcaster} + {self.stride} * ({position})"

    def rows(self, first: int, last: int) -> str:
        """Return SQL for rows first to last - 1, oldest first, with the columns n, ms, t (ms in
        hex), h (hash), r (0 to 999), topic, endpoint and tenant."""
        # OFFSET 0 makes PostgreSQL compute the hash once per row instead of once per use.
        return f"""(
            SELECT n, ms, lpad(to_hex(ms), 12, '0') AS t, md5(n::text) AS h,
                   (hashint8(n) & 2147483647) % 1000 AS r,
                   CASE WHEN hashint8(n + 1) % 10000 = 0 THEN '{RARE_TOPIC}'
                        WHEN hashint8(n) % 10 >= -6 AND hashint8(n) % 10 <= 6
                        THEN 'purchase.completed' ELSE 'review.created' END AS topic,
                   {self.endpoint()} AS endpoint, {self.tenant()} AS tenant
            FROM generate_series({last - 1}, {first}, -1) AS n
            CROSS JOIN LATERAL (SELECT {self.now_ms} - n * {STEP_MS}::bigint AS ms) AS moment
            OFFSET 0) AS row"""


def _uuid7(t: str, offset: int) -> str:
    """Return SQL for a version 7 UUID of a moment in hex, with random digits from the hash."""
    return f"({t} || '7' || substr(h, {offset}, 3) || '8' || substr(h, {offset + 3}, 15))::uuid"


_EVENT, _DELIVERY = _uuid7("t", 1), _uuid7("t", 4)
_AT = "to_timestamp(ms / 1000.0)"
_HEADERS = """
'[["Content-Type", "application/json"], ["User-Agent", "Webhooks-Portal/0.1.0"],
  ["X-Clawget-Signature", "5f2b8a3c9d1e4f6071829a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f"]]'
"""


def _insert_events(rows: str) -> str:
    return f"""
INSERT INTO deliveries_event (id, broadcaster_id, event_id, topic, occurred_at, created_at, body,
    fingerprint, idempotency_key, test)
SELECT {_EVENT}, tenant, 'evt_' || t || substr(h, 1, 14), topic, {_AT},
    {_AT}, '{{"type":"' || topic || '","id":"evt_' || t || substr(h, 1, 14) || '","created":' || ms / 1000 || ',"data":{{"n":' || n
    || ',"purchase_id":"pur_' || n || '","listing_id":"lst_abc123","buyer":{{"id":"usr_buyer123",'
    || '"email":"buyer@example.com"}},"amount":475.5,"currency":"USD",'
    || '"license_key":"CLW-XXXX-XXXX-XXXX"}}}}', h || h, NULL, FALSE
FROM {rows}
"""


# In a thousand rows, 970 are delivered, 15 failed after six attempts, 5 are cancelled, and 10 wait
# for a retry.
def _insert_deliveries(rows: str) -> str:
    return f"""
INSERT INTO deliveries_delivery (id, broadcaster_id, event_id, endpoint_id, topic, status,
    status_reason, test, "trigger", attempt_count, scheduled_count, max_attempts, next_attempt_at,
    planned_at, status_before, lease_id, failure, status_code, created_at, completed_at)
SELECT {_DELIVERY}, tenant, {_EVENT}, endpoint, topic,
    CASE WHEN r < 970 THEN 'delivered' WHEN r < 985 THEN 'failed'
         WHEN r < 990 THEN 'cancelled' ELSE 'pending' END,
    CASE WHEN r < 970 OR r >= 990 THEN ''
         WHEN r < 985 THEN 'All 6 attempts allowed were made; the last one answered HTTP 503.'
         ELSE 'Stopped by hand.' END,
    FALSE, CASE WHEN r < 970 THEN 'publish' ELSE 'retry' END, tries, tries, 6,
    CASE WHEN r >= 990 THEN now() + interval '1 hour' + n % 36000 * interval '1 second' END,
    NULL, '', NULL, CASE WHEN r < 970 THEN '' ELSE 'http_5xx' END,
    CASE WHEN r < 970 THEN 200 ELSE 503 END, {_AT},
    CASE WHEN r < 990 THEN {_AT} + tries * interval '1 second' END
FROM (SELECT *, CASE WHEN r < 970 THEN 1 WHEN r < 985 THEN 6 WHEN r < 990 THEN 1 ELSE 2 END AS tries
      FROM {rows}) AS row
"""


def _insert_attempts(rows: str, *, numbers: tuple[int, int], condition: str) -> str:
    return f"""
INSERT INTO deliveries_attempt (id, delivery_id, broadcaster_id, endpoint_id, topic, test, number,
    "trigger", outcome, failure, retry_reason, sent_at, responded_at, duration_ms, dns_ms,
    connect_ms, tls_ms, first_byte_ms, remote_address, request_url, request_headers, status_code,
    response_headers, response_body, response_truncated, evidence, next_attempt_at)
SELECT {_uuid7("lpad(to_hex(ms + 150 + (number - 1) * 60000), 12, '0')", 7)}, {_DELIVERY}, tenant, endpoint, topic, FALSE,
    number, CASE WHEN number = 1 THEN 'publish' ELSE 'retry' END,
    CASE WHEN r < 970 THEN 'succeeded' ELSE 'failed' END,
    CASE WHEN r < 970 THEN '' ELSE 'http_5xx' END,
    CASE WHEN number = 1 THEN '' ELSE 'Attempt ' || number - 1 || ' answered HTTP 503.' END,
    {_AT} + (number - 1) * interval '1 minute',
    {_AT} + (number - 1) * interval '1 minute' + interval '42 ms', 42.5, 0.1, 8.5, 20.25, 13.5,
    '203.0.113.7', 'https://customer.example/hooks/' || endpoint, {_HEADERS},
    CASE WHEN r < 970 THEN 200 ELSE 503 END,
    '[["Content-Type", "text/plain"], ["Content-Length", "2"]]', 'ok', FALSE, '{{}}', NULL
FROM {rows} CROSS JOIN generate_series({numbers[0]}, {numbers[1]}) AS number
WHERE {condition}
"""


# Fills the hourly counters in the order in which pumps would have written them.
_FILL_HOURS = f"""
TRUNCATE deliveries_endpointhour;
INSERT INTO deliveries_endpointhour (endpoint_id, broadcaster_id, hour, shard, succeeded, failed,
    unknown, exhausted, {", ".join(f"ms_{n}" for n in range(12))})
SELECT endpoint_id, broadcaster_id, date_trunc('hour', created_at), 0,
    count(*) FILTER (WHERE status = 'delivered'),
    coalesce(sum(attempt_count) FILTER (WHERE status <> 'delivered'), 0), 0,
    count(*) FILTER (WHERE status = 'failed'), 0, 0, 0, count(*), 0, 0, 0, 0, 0, 0, 0, 0
FROM deliveries_delivery GROUP BY 1, 2, 3 ORDER BY 3, 1;
"""


def _insert_due(layout: Layout, count: int, *, name: str, now_ms: int) -> str:
    return f"""
WITH made AS (
    SELECT n, lpad(to_hex({now_ms} + n), 12, '0') AS t, md5('{name}' || n) AS h, 'purchase.completed' AS topic,
        {layout.endpoint()} AS endpoint, {layout.tenant()} AS tenant
    FROM generate_series(1, {count}) AS n
), event AS (
    INSERT INTO deliveries_event (id, broadcaster_id, event_id, topic, occurred_at, created_at,
        body, fingerprint, idempotency_key, test)
    SELECT {_EVENT}, tenant, 'evt_' || h, topic, now(), now(),
        '{{"type":"purchase.completed","data":{{"n":' || n || '}}}}', h || h, NULL, FALSE
    FROM made
)
INSERT INTO deliveries_delivery (id, broadcaster_id, event_id, endpoint_id, topic, status,
    status_reason, test, "trigger", attempt_count, scheduled_count, max_attempts, next_attempt_at,
    planned_at, status_before, lease_id, failure, status_code, created_at, completed_at)
SELECT {_DELIVERY}, tenant, {_EVENT}, endpoint, topic, 'pending', '', FALSE, 'publish', 0, 0, 6,
    now() - interval '1 second', NULL, '', NULL, '', NULL, now(), NULL
FROM made
"""


def load(database_url: str, layout: Layout, first: int, last: int) -> None:
    """Add rows first to last - 1; then vacuum, analyse and checkpoint."""
    rows = layout.rows(first, last)
    definitions = _definitions(database_url)
    _run(database_url, [drop for drop, _ in definitions])
    retries = "r >= 970 AND r < 985 OR r >= 990 AND number = 2"
    _at_once(
        database_url,
        [
            _insert_attempts(rows, numbers=(1, 1), condition="TRUE"),
            _insert_events(rows),
            _insert_deliveries(rows),
            _insert_attempts(rows, numbers=(2, 6), condition=retries),
        ],
    )
    made = sorted((add for _, add in definitions), key=_table)
    # A foreign key can only be created after the key that it refers to.
    foreign = [add for add in made if "FOREIGN KEY" in add]
    _at_once(database_url, [_FILL_HOURS, *(add for add in made if add not in foreign)])
    _run(database_url, foreign)
    assert _plain(_definitions(database_url)) == _plain(definitions)
    tables = [*_TABLES, "deliveries_endpointhour"]
    _at_once(database_url, [f"VACUUM (ANALYZE) {table}" for table in tables])
    _run(database_url, ["ANALYZE", "CHECKPOINT"])


def _table(statement: str) -> int:
    """Sort by table: the indexes of one are created together, and so read it from disk once."""
    return next(n for n, table in enumerate(_TABLES) if f"{table} " in statement)


def add_due(database_url: str, layout: Layout, count: int, *, name: str, now_ms: int) -> None:
    """Insert `count` due deliveries as if just published, for all endpoints in turn."""
    _run(database_url, [_insert_due(layout, count, name=name, now_ms=now_ms)])


def _definitions(database_url: str) -> list[tuple[str, str]]:
    """Return (drop statement, create statement) of constraints and indexes, foreign keys first."""
    tables = list(_TABLES)
    with psycopg.connect(database_url) as connection:
        constraints = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype IN ('f', 'p', 'u')"
            " AND (conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))"
            " ORDER BY contype <> 'f', conname",
            [tables, tables],
        ).fetchall()
        indexes = connection.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY(%s::regclass[]) AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1",
            [tables],
        ).fetchall()
    return [
        *(
            (
                f'ALTER TABLE {table} DROP CONSTRAINT "{name}"',
                f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}',
            )
            for table, name, text in constraints
        ),
        *((f"DROP INDEX {name}", text) for name, text in indexes),
    ]


def _plain(definitions: Sequence[tuple[str, str]]) -> list[str]:
    """Leave casts and brackets out: PostgreSQL prints arrays of constants differently once it has
    parsed its own output."""
    return sorted(re.sub(r"::[a-z ]+(\[\])?|[()]", "", text) for _, text in definitions)


def _run(database_url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_SESSION)
        for statement in statements:
            connection.execute(statement)


def _at_once(database_url: str, statements: Sequence[str]) -> None:
    """Run the statements in this order, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda statement: _run(database_url, [statement]), statements))
