"""Kept connections, and whether their receiver has been silent since its last response."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable

from deliveries.transport.bounded_memory import remember
from deliveries.transport.sockets import Sockets

# Remote address, local address, remote port, local port: no two open connections share all four.
Ends = tuple[str, str, int, int]


class Connections:
    """The sockets that libcurl keeps open, by the ends of their connections.

    libcurl checks a kept connection for input only after it was idle for a second. What a receiver
    sent unasked before that would be taken for the response to the next request.
    """

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._descriptors: dict[Ends, int] = {}

    def add(self, ends: Ends, candidates: Iterable[int]) -> None:
        """Remember a new connection, whose socket is one of the candidates, most likely first."""
        found = next((fd for fd in candidates if _local_port(fd) == ends[3]), None)
        if found is not None:
            remember(self._descriptors, ends, found)

    def is_quiet(self, ends: Ends) -> bool:
        """Whether a request may be written: nothing came in, not even the connection's end.

        False also if the connection is not known any more.
        """
        fd = self._descriptors.get(ends)
        return fd is not None and (self._sockets.was_silent(fd) or not _has_input(fd))


def _has_input(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def _local_port(fd: int) -> int | None:
    """None for a socket that is closed by now, because another connected before it."""
    try:
        borrowed = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        port: int = borrowed.getsockname()[1]
        return port
    finally:
        borrowed.detach()
