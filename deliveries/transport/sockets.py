"""Which sockets are ready: epoll for libcurl's multi interface, asked as seldom as can be.

libcurl stops watching a connection when its answer is there, and watches it anew for the next
request, often within a millisecond. So a socket stays with epoll in between: two system calls less
for every request.
"""

from __future__ import annotations

import contextlib
import select

_MAX_EVENTS = 1024


class Sockets:
    """Descriptors by what libcurl waits for on each of them: EPOLLIN, EPOLLOUT or both.

    keeps: whether `made` is told of each new one before it is watched. Then one that is let go
    stays known to epoll.
    """

    def __init__(self, *, keeps: bool) -> None:
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._keeps = keeps
        self._kept: dict[int, int] = {}
        self._heard_all = False

    def made(self, fd: int) -> None:
        """A new socket has this number. What epoll knew under it was another, closed by now."""
        self._kept.pop(fd, None)

    def watch(self, fd: int, events: int) -> None:
        self._watched.add(fd)
        if self._kept.get(fd) == events:
            return
        try:
            self._epoll.register(fd, events)
        except FileExistsError:
            self._epoll.modify(fd, events)
        if self._keeps:
            self._kept[fd] = events

    def release(self, fd: int) -> None:
        """Of no interest for now; it may be closed already."""
        self._watched.discard(fd)
        if not self._keeps:
            self._drop(fd)

    def ready(self, timeout_seconds: float) -> list[tuple[int, int]]:
        """Pairs of descriptor and events, of those that are watched."""
        found = self._epoll.poll(timeout_seconds, _MAX_EVENTS)
        self._heard_all = len(found) < _MAX_EVENTS
        for fd, _ in found:
            # An idle connection that its receiver closed, or spoke on unasked.
            if fd not in self._watched:
                self._drop(fd)
        return [(fd, events) for fd, events in found if fd in self._watched]

    def listen(self) -> None:
        """Take note of those that spoke while nobody watched them."""
        self.ready(0)

    def was_silent(self, fd: int) -> bool:
        """Whether epoll knows it, and had nothing to read from it when it was last asked."""
        return self._heard_all and bool(self._kept.get(fd, 0) & select.EPOLLIN)

    def close(self) -> None:
        self._epoll.close()

    def _drop(self, fd: int) -> None:
        self._kept.pop(fd, None)
        with contextlib.suppress(OSError):
            self._epoll.unregister(fd)
