"""Kept connections, and whether their receiver has kept quiet since its last answer."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable

from deliveries.transport.sockets import Sockets

_MAX_REMEMBERED = 10_000

# Remote address, local address, remote port, local port: no two open connections share all four.
Ends = tuple[str, str, int, int]


class Connections:
    """The sockets that libcurl keeps open, known by their ends.

    libcurl looks whether a kept connection is still clean only when it was idle for a second.
    What a receiver sent unasked before that would be taken for the answer to the next request.
    """

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._descriptors: dict[Ends, int] = {}

    def opened(self, ends: Ends, candidates: Iterable[int]) -> None:
        """A connection was made; one of the candidates, the last most likely, is its socket."""
        found = next((fd for fd in candidates if _local_port(fd) == ends[3]), None)
        if found is None:
            return
        if len(self._descriptors) >= _MAX_REMEMBERED:
            self._descriptors.clear()
        self._descriptors[ends] = found

    def is_quiet(self, ends: Ends) -> bool:
        """Whether a request may be written: nothing came in, not even the connection's end.

        False, too, where the connection is not known any more.
        """
        fd = self._descriptors.get(ends)
        return fd is not None and (self._sockets.was_silent(fd) or not _has_input(fd))


def _has_input(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def _local_port(fd: int) -> int | None:
    """None where it is closed by now, as those are that lost the race to connect."""
    try:
        borrowed = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        port: int = borrowed.getsockname()[1]
        return port
    finally:
        borrowed.detach()
