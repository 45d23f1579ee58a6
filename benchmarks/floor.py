"""Scenario floor: a bare libcurl multi loop sends as much, and COPY writes as much.

    python -m benchmarks.floor postgresql

What the libraries can do when nothing is judged, signed, claimed, leased or retried: the attempt
and what became of the delivery go to tables without an index. One loop, which has a core for
itself beside receiver and database; then, on PostgreSQL, two at a time, which share the machine
as two pumps do.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import deque
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from benchmarks.drain import DELIVERIES as DRAINED
from benchmarks.drain import ENDPOINTS
from benchmarks.stage import Stage, stage, wait_until

# More than in the drain, whose 20,000 requests would be over in a second or two.
DELIVERIES = 3 * DRAINED
TABLES = ("floor_attempt", "floor_delivery")
BODY = json.dumps(
    {
        "type": "purchase.completed",
        "id": "evt_01kahk5v3d8m5w9r2x4c6n8p0q",
        "created": 1640000000,
        "data": {
            "n": 123456,
            "purchase_id": "pur_000123456",
            "listing_id": "lst_abc123",
            "buyer": {"id": "usr_buyer123", "email": "buyer@example.com"},
            "amount": 475.5,
            "currency": "USD",
            "license_key": "CLW-XXXX-XXXX-XXXX",
        },
    },
    separators=(",", ":"),
).encode()
HEADERS = ["Content-Type: application/json", f"X-Clawget-Signature: {'0' * 64}", "Expect:"]
LOGGED = json.dumps([line.split(": ") for line in HEADERS[:2]] + [["User-Agent", "bench/1.0"]])
ANSWERED = json.dumps([["Content-Length", "2"]])
IN_FLIGHT = 500
WRITE_BATCH = 500


def child(port: int, count: int, database_url: str) -> None:
    import pycurl

    write = _writer(database_url)
    multi = pycurl.CurlMulti()
    idle: deque[Any] = deque()
    for _ in range(IN_FLIGHT):
        curl = pycurl.Curl()
        curl.setopt(pycurl.HTTPHEADER, HEADERS)
        curl.setopt(pycurl.POSTFIELDS, BODY)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.WRITEFUNCTION, lambda data: len(data))
        idle.append(curl)
    started = finished = 0
    rows: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
    while finished < count:
        while idle and started < count:
            curl = idle.popleft()
            curl.setopt(pycurl.URL, f"http://127.0.0.1:{port}/hook/{started % ENDPOINTS}")
            multi.add_handle(curl)
            started += 1
        multi.perform()
        _, done, failed = multi.info_read()
        assert not failed, failed
        for curl in done:
            rows.append(_rows(curl.getinfo(pycurl.RESPONSE_CODE)))
            finished += 1
            multi.remove_handle(curl)
            idle.append(curl)
        if len(rows) >= WRITE_BATCH:
            write(rows)
            rows = []
        if not done:
            multi.select(0.01)
    if rows:
        write(rows)


def _rows(status: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Make rows of the same size as the log's attempts and the deliveries' outcomes."""
    now, delivery = datetime.now(UTC), uuid4()
    attempt = (
        uuid4(),
        "purchase.completed",
        False,
        1,
        "publish",
        "succeeded",
        "",
        "",
        now,
        now,
        12.5,
        0.1,
        0.2,
        None,
        3.4,
        "127.0.0.1",
        "http://127.0.0.1:12345/hook/1",
        LOGGED,
        status,
        ANSWERED,
        b"ok",
        False,
        "{}",
        None,
        1,
        1,
        delivery,
    )
    return attempt, (delivery, "delivered", "", None, "publish", 1, 1, "", status, now)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex if isinstance(value, UUID) else value


def _writer(database_url: str) -> Any:
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=20)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

        def write_sqlite(rows: list[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> None:
            with connection:
                for table, values in zip(TABLES, zip(*rows, strict=True), strict=True):
                    connection.executemany(
                        f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})",
                        [tuple(map(_plain, row)) for row in values],
                    )

        return write_sqlite
    import psycopg

    pg = psycopg.connect(database_url)

    def write_postgresql(rows: list[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> None:
        with pg.cursor() as cursor:
            for table, values in zip(TABLES, zip(*rows, strict=True), strict=True):
                with cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    for row in values:
                        copy.write_row(row)
        pg.commit()

    return write_postgresql


def run(current: Stage) -> dict[str, float]:
    from django.db import connection

    current.start_receiver()
    attempts, outcomes = TABLES
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {attempts} AS SELECT * FROM deliveries_attempt LIMIT 0")
        cursor.execute(
            f"CREATE TABLE {outcomes} AS SELECT id, status, status_reason, next_attempt_at, "
            '"trigger", attempt_count, scheduled_count, failure, status_code, completed_at '
            "FROM deliveries_delivery LIMIT 0"
        )
    figures = {"floor_rate": _rate(current, loops=1)}
    if current.database == "postgresql":
        figures["floor_two_loops_rate"] = _rate(current, loops=2)
    return figures


def _rate(current: Stage, *, loops: int) -> float:
    before = current.received()
    children = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.floor",
                "child",
                str(current.receiver_port),
                str(DELIVERIES // loops),
                current.database_url,
            ],
            env=current.env,
        )
        for _ in range(loops)
    ]
    wait_until(lambda: current.received() - before >= DELIVERIES, seconds=60, what="floor")
    for process in children:
        assert process.wait(10) == 0
    return current.arrival_rate()


def main() -> None:
    if sys.argv[1] == "child":
        child(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current)))


if __name__ == "__main__":
    main()
