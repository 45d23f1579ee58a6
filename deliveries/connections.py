"""Kept connections, and whether their receiver has kept quiet since its last answer."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable

_MAX_REMEMBERED = 10_000

# Remote address, local address, remote port, local port: no two open connections share all four.
Ends = tuple[str, str, int, int]


class Connections:
    """The sockets that libcurl keeps open, known by their ends.

    libcurl looks whether a kept connection is still clean only when it was idle for a second.
    What a receiver sent unasked before that would be taken for the answer to the next request.
    """

    def __init__(self) -> None:
        self._polls: dict[Ends, select.poll] = {}

    def opened(self, ends: Ends, candidates: Iterable[int]) -> None:
        """A connection was made; one of the candidates, the last most likely, is its socket."""
        found = next((fd for fd in candidates if _local_port(fd) == ends[3]), None)
        if found is None:
            return
        if len(self._polls) >= _MAX_REMEMBERED:
            self._polls.clear()
        poll = self._polls[ends] = select.poll()
        poll.register(found, select.POLLIN)

    def is_quiet(self, ends: Ends) -> bool:
        """Whether a request may be written: nothing came in, not even the connection's end.

        False, too, where the connection is not known any more.
        """
        poll = self._polls.get(ends)
        return poll is not None and not poll.poll(0)


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
