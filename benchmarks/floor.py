"""floor: the same bytes sent by a bare libcurl multi loop and logged by COPY to a bare table.

    python -m benchmarks.floor postgresql

What the machine can do with these libraries when nothing is judged, signed, leased or retried:
one process a dispatching pump (two on PostgreSQL, one on SQLite), each with its half.
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

# More than the drain has: its 20,000 would be over in a second or two.
DELIVERIES = 3 * DRAINED
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
    rows: list[tuple[Any, ...]] = []
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
            rows.append(_row(curl.getinfo(pycurl.RESPONSE_CODE)))
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


def _row(status: int) -> tuple[Any, ...]:
    """As many bytes as the attempt log keeps of such a request, in its columns."""
    now = datetime.now(UTC)
    return (
        uuid4(), "purchase.completed", False, 1, "publish", "succeeded", "", "", now, now, 12.5,
        0.1, 0.2, None, 3.4, "127.0.0.1", "http://127.0.0.1:12345/hook/1", LOGGED, status,
        ANSWERED, b"ok", False, "{}", None, 1, 1, uuid4(),
    )  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex if isinstance(value, UUID) else value


def _writer(database_url: str) -> Any:
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=20)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

        def write_sqlite(rows: list[tuple[Any, ...]]) -> None:
            with connection:
                connection.executemany(
                    f"INSERT INTO floor_attempt VALUES ({', '.join('?' * len(rows[0]))})",
                    [tuple(map(_plain, row)) for row in rows],
                )

        return write_sqlite
    import psycopg

    pg = psycopg.connect(database_url)

    def write_postgresql(rows: list[tuple[Any, ...]]) -> None:
        with pg.cursor() as cursor, cursor.copy("COPY floor_attempt FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        pg.commit()

    return write_postgresql


def run(current: Stage) -> dict[str, float]:
    from django.db import connection

    current.start_receiver()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor_attempt AS SELECT * FROM deliveries_attempt LIMIT 0")
    pumps = 1
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.floor", "child", str(current.receiver_port),
             str(DELIVERIES // pumps), current.database_url],
            env=current.env,
        )
        for _ in range(pumps)
    ]  # fmt: skip
    wait_until(lambda: current.received() >= DELIVERIES, seconds=80, what="floor")
    for process in children:
        assert process.wait(10) == 0
    return {"floor_rate": current.arrival_rate()}


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
