"""A receiver that costs little CPU: one thread, epoll, keep-alive, a fixed response.

    python -m benchmarks.receiver PORT LOGFILE

Answers every POST with 200, but under /hang it never answers, under /large it sends 64 KiB, and
under /slow it sends 64 KiB a second later.
Each arrival is kept as `nanoseconds path marker`, where the marker is the number after `"n":` in
the body; GET /count gives how many have come, GET /log writes them to LOGFILE and forgets them,
GET /waiting gives how many /slow ones have no answer yet.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections import deque
from typing import cast

SLOW_SECONDS = 1.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + b"x" * 65536


class Receiver:
    def __init__(self, port: int, log_path: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._buffers: dict[socket.socket, bytearray] = {}
        self._log_path = log_path
        self._arrivals: list[tuple[int, bytes, bytes]] = []
        self._count = 0
        self._slow: deque[tuple[float, socket.socket]] = deque()
        listener = socket.create_server(("127.0.0.1", port), backlog=2048)
        listener.setblocking(False)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ)

    def serve(self) -> None:
        while True:
            self._answer_slow()
            pause = max(0.0, self._slow[0][0] - time.monotonic()) if self._slow else None
            for key, _ in self._selector.select(pause):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._read(cast(socket.socket, key.fileobj))

    def _answer_slow(self) -> None:
        while self._slow and self._slow[0][0] <= time.monotonic():
            _, connection = self._slow.popleft()
            if connection in self._buffers:
                _send_large(connection)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffers[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            del self._buffers[connection]
            connection.close()
            return
        now = time.time_ns()
        buffer = self._buffers[connection]
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(buffer[:end])
            length = _content_length(head)
            if len(buffer) < end + 4 + length:
                return
            body = bytes(buffer[end + 4 : end + 4 + length])
            del buffer[: end + 4 + length]
            self._answer(connection, head, body, now)

    def _answer(self, connection: socket.socket, head: bytes, body: bytes, now: int) -> None:
        method, path, _ = head.split(b" ", 2)
        if method == b"GET":
            self._control(connection, path)
            return
        self._count += 1
        marker = body.find(b'"n":')
        number = (
            body[marker + 4 : marker + 24].split(b",")[0].split(b"}")[0] if marker >= 0 else b""
        )
        self._arrivals.append((now, path, number))
        if path.startswith(b"/hang"):
            return
        if path.startswith(b"/slow"):
            self._slow.append((time.monotonic() + SLOW_SECONDS, connection))
            return
        if path.startswith(b"/large"):
            _send_large(connection)
            return
        connection.send(OK)

    def _control(self, connection: socket.socket, path: bytes) -> None:
        if path == b"/log":
            with open(self._log_path, "wb") as log:
                log.writelines(b"%d %s %s\n" % arrival for arrival in self._arrivals)
            self._arrivals.clear()
        text = str(len(self._slow) if path == b"/waiting" else self._count).encode()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))


def _send_large(connection: socket.socket) -> None:
    connection.settimeout(5)
    try:
        connection.sendall(LARGE)
    except OSError:
        return  # the sender is gone; its end is read like any other
    connection.setblocking(False)


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


if __name__ == "__main__":
    Receiver(int(sys.argv[1]), sys.argv[2]).serve()
