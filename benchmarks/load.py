"""A load generator that costs little CPU: one thread, raw keep-alive sockets, small requests.

    python -m benchmarks.load JOB

JOB is JSON: port, path, token, connections, seconds, batch (0: single events) and rate (requests
a second, or null: each connection sends its next as soon as it has its answer). Ends after
`seconds`, or at a SIGTERM, with what is under way, and prints one JSON object: requests, seconds,
p50_ms, p99_ms. With a rate a request is timed from when it was due, also where it had to wait for
a connection. Any answer but 202 is an error.
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import statistics
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

# Always seven digits, so that Content-Length never changes.
FIRST_NUMBER = 1_000_000
_EVENT = (
    b'{"topic":"purchase.completed","data":{"n":%d,"purchase_id":"pur_000123456","listing_id":'
    b'"lst_abc123","buyer":{"id":"usr_buyer123","email":"buyer@example.com"},"amount":475.5,'
    b'"currency":"USD","license_key":"CLW-XXXX-XXXX-XXXX"}}'
)
END_SECONDS = 30.0


@dataclass(slots=True)
class Connection:
    socket: socket.socket
    began: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)


class Load:
    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._batch = int(job["batch"])
        self._rate: float | None = job["rate"]
        self._number = FIRST_NUMBER
        self._due = 0
        self._stopped = False
        self._taken_ms: list[float] = []
        self._selector = selectors.DefaultSelector()
        self._idle: deque[Connection] = deque()
        body_length = len(self._body())
        self._head = (
            f"POST {job['path']} HTTP/1.1\r\nHost: 127.0.0.1:{job['port']}\r\n"
            f"Authorization: Bearer {job['token']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {body_length}\r\n\r\n"
        ).encode()
        for _ in range(job["connections"]):
            opened = socket.create_connection(("127.0.0.1", job["port"]))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(opened)
            self._selector.register(opened, selectors.EVENT_READ, connection)
            self._idle.append(connection)

    def run(self) -> dict[str, float]:
        signal.signal(signal.SIGTERM, self._stop)
        self._begin = time.monotonic()
        end = self._begin + self._job["seconds"]
        while (now := time.monotonic()) < end and not self._stopped:
            self._send_due(now)
            self._look(self._pause(now, end))
        last = time.monotonic() + END_SECONDS
        while len(self._idle) < self._job["connections"]:
            if time.monotonic() > last:
                raise TimeoutError(f"an answer did not come within {END_SECONDS:g} s")
            self._look(0.1)
        seconds = time.monotonic() - self._begin
        return {
            "requests": len(self._taken_ms),
            "seconds": seconds,
            "p50_ms": statistics.median(self._taken_ms),
            "p99_ms": percentile(self._taken_ms, 0.99),
        }

    def _stop(self, _number: int, _frame: Any) -> None:
        self._stopped = True

    def _send_due(self, now: float) -> None:
        if self._rate is None:
            while self._idle:
                self._send(now)
            return
        while self._idle and (due := self._begin + self._due / self._rate) <= now:
            self._due += 1
            self._send(due)

    def _pause(self, now: float, end: float) -> float:
        if self._rate is None or not self._idle:
            return end - now
        return min(end, self._begin + self._due / self._rate) - now

    def _send(self, began: float) -> None:
        connection = self._idle.popleft()
        connection.began = began
        connection.socket.sendall(self._head + self._body())

    def _body(self) -> bytes:
        first = self._number
        self._number += max(1, self._batch)
        if not self._batch:
            return _EVENT % first
        return b'{"events":[%s]}' % b",".join(_EVENT % n for n in range(first, self._number))

    def _look(self, seconds: float) -> None:
        for key, _ in self._selector.select(max(0.0, seconds)):
            connection: Connection = key.data
            received = connection.socket.recv(1_048_576)
            if not received:
                raise ConnectionError("the server hung up")
            connection.buffer += received
            if _complete(connection.buffer):
                self._taken_ms.append((time.monotonic() - connection.began) * 1000)
                connection.buffer.clear()
                self._idle.append(connection)


def _complete(answer: bytearray) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[:end]).lower()
    at = head.index(b"\r\ncontent-length:")
    length = int(head[at + 17 :].split(b"\r\n", 1)[0])
    if len(answer) < end + 4 + length:
        return False
    if head.split(b" ", 2)[1] != b"202":
        raise RuntimeError(bytes(answer[:2000]).decode(errors="replace"))
    return True


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


if __name__ == "__main__":
    print(json.dumps(Load(json.loads(sys.argv[1])).run()))
