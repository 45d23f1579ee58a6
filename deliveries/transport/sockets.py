"""Tells libcurl's multi interface which sockets are ready, by epoll, with few system calls.

libcurl stops watching a connection when its response is there, and watches it again for the next
request, often within a millisecond. So a socket stays registered with epoll in between, which saves
two system calls for every request.
"""

from __future__ import annotations

import contextlib
import select

_MAX_EVENTS = 1024


class Sockets:
    """The sockets of libcurl, by file descriptor, and the events that it waits for on each.

    keeps_released: a released socket stays registered with epoll. Then each new socket must be
    announced by `add` before it is watched.
    """

    def __init__(self, *, keeps_released: bool) -> None:
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._keeps_released = keeps_released
        self._registered: dict[int, int] = {}
        self._last_poll_was_complete = False

    def add(self, fd: int) -> None:
        """Announce a new socket: what was registered under its number is closed by now."""
        self._registered.pop(fd, None)

    def watch(self, fd: int, events: int) -> None:
        """Wait for `events` on the socket: EPOLLIN, EPOLLOUT or both."""
        self._watched.add(fd)
        if self._registered.get(fd) == events:
            return
        try:
            self._epoll.register(fd, events)
        except FileExistsError:
            self._epoll.modify(fd, events)
        if self._keeps_released:
            self._registered[fd] = events

    def release(self, fd: int) -> None:
        """Stop waiting for the socket, which may be closed already."""
        self._watched.discard(fd)
        if not self._keeps_released:
            self._unregister(fd)

    def ready(self, timeout_seconds: float) -> list[tuple[int, int]]:
        """Watched sockets that are ready, as pairs of file descriptor and events."""
        found = self._epoll.poll(timeout_seconds, _MAX_EVENTS)
        self._last_poll_was_complete = len(found) < _MAX_EVENTS
        for fd, _ in found:
            # An idle connection whose receiver closed it, or sent something unasked.
            if fd not in self._watched:
                self._unregister(fd)
        return [(fd, events) for fd, events in found if fd in self._watched]

    def poll_idle(self) -> None:
        """Unregister the released sockets that have something to read, for `was_silent`."""
        self.ready(0)

    def was_silent(self, fd: int) -> bool:
        """Whether the socket is registered and had nothing to read at the last poll."""
        return self._last_poll_was_complete and bool(self._registered.get(fd, 0) & select.EPOLLIN)

    def close(self) -> None:
        self._epoll.close()

    def _unregister(self, fd: int) -> None:
        self._registered.pop(fd, None)
        with contextlib.suppress(OSError):
            self._epoll.unregister(fd)
