"""Resolves names to addresses in threads of its own.

So every record can be judged before any is used, and a name server that does not answer delays
only its own names.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from subscriptions.endpoints.system_resolver import resolve_by_system
from subscriptions.endpoints.url_rules import is_localhost

Resolve = Callable[[str], Sequence[str]]
Judge = Callable[[str], str | None]

MAX_THREADS = 32
# Names that were slow last time get at most this many threads, so that one is always free for the
# others.
MAX_THREADS_FOR_SLOW_NAMES = 16
SLOW_SECONDS = 1.0
KEEP_SECONDS = 30.0
KEEP_FAILURE_SECONDS = 5.0
MAX_KEPT_NAMES = 20_000
# All records of a name are judged, but a request tries no more addresses than these.
MAX_TRIED_ADDRESSES = 8
_IDLE_THREAD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Resolution:
    """The addresses of a name, or why it has none. blocked: (address, reason) of a record that may
    not be called. failure: "not_found" if the name does not exist, "no_answer" if no name server
    said whether it does. message: the resolver's own words. valid_until: monotonic seconds."""

    addresses: tuple[str, ...] = ()
    blocked: tuple[str, str] | None = None
    failure: Literal["", "not_found", "no_answer"] = ""
    message: str = ""
    valid_until: float = 0.0


class NameLookup:
    """Looks names up without making the caller wait.

    `ask` returns what is known, or nothing; the file descriptor `wakeup` becomes readable when
    `collect` has new resolutions. judge: why an address may not be called, None if it may.
    """

    def __init__(self, *, judge: Judge, resolve: Resolve | None = None) -> None:
        self._judge = judge
        self._resolve = resolve or resolve_by_system
        self._known: dict[str, Resolution] = {}
        self._slow: set[str] = set()
        self._lock = threading.Condition()
        self._waiting_names: deque[str] = deque()
        self._waiting_slow_names: deque[str] = deque()
        self._pending: set[str] = set()
        self._resolutions: deque[tuple[str, Resolution]] = deque()
        self._threads = self._idle_threads = self._threads_on_slow_names = 0
        self._closed = False
        self.wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ask(self, name: str) -> Resolution | None:
        """The resolution if it is known and still valid; else None, and `collect` will bring it."""
        known = self._known.get(name)
        if known is not None and known.valid_until > time.monotonic():
            return known
        with self._lock:
            if name not in self._pending:
                self._pending.add(name)
                (self._waiting_slow_names if name in self._slow else self._waiting_names).append(
                    name
                )
                self._wake_thread()
        return None

    def collect(self) -> list[tuple[str, Resolution]]:
        """The names that were resolved since the last call, each with its resolution."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.wakeup)
        with self._lock:
            collected = list(self._resolutions)
            self._resolutions.clear()
            self._pending.difference_update(name for name, _ in collected)
        if len(self._known) + len(collected) > MAX_KEPT_NAMES:
            self._known.clear()
        self._known.update(collected)
        return collected

    def close(self) -> None:
        """Stop. Look-ups in flight end by themselves, and their resolutions are dropped."""
        with self._lock:
            self._closed = True
            os.close(self.wakeup)
            self._lock.notify_all()

    def _wake_thread(self) -> None:
        if self._idle_threads == 0 and self._threads < MAX_THREADS:
            self._threads += 1
            # A daemon, because getaddrinfo cannot be interrupted and must not keep a process alive.
            threading.Thread(target=self._work, name="name-lookup", daemon=True).start()
        else:
            self._lock.notify()

    def _work(self) -> None:
        while (job := self._next_name()) is not None:
            name, is_slow = job
            started = time.monotonic()
            resolution = self._resolve_and_judge(name)
            with self._lock:
                self._threads_on_slow_names -= is_slow
                self._remember_speed(name, time.monotonic() - started)
                if self._closed:
                    break
                self._resolutions.append((name, resolution))
                os.eventfd_write(self.wakeup, 1)
        with self._lock:
            self._threads -= 1

    def _next_name(self) -> tuple[str, bool] | None:
        with self._lock:
            while not self._closed:
                if self._waiting_names:
                    return self._waiting_names.popleft(), False
                if (
                    self._waiting_slow_names
                    and self._threads_on_slow_names < MAX_THREADS_FOR_SLOW_NAMES
                ):
                    self._threads_on_slow_names += 1
                    return self._waiting_slow_names.popleft(), True
                self._idle_threads += 1
                woken = self._lock.wait(_IDLE_THREAD_SECONDS)
                self._idle_threads -= 1
                if not woken:
                    break
        return None

    def _remember_speed(self, name: str, seconds: float) -> None:
        if seconds > SLOW_SECONDS:
            if len(self._slow) >= MAX_KEPT_NAMES:
                self._slow.clear()
            self._slow.add(name)
        else:
            self._slow.discard(name)

    def _resolve_and_judge(self, name: str) -> Resolution:
        try:
            addresses = self._resolve(name)
        except socket.gaierror as error:
            # These two say that there is no such name; all others, that it could not be found out.
            is_missing = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
            until = time.monotonic() + KEEP_FAILURE_SECONDS
            failure: Literal["not_found", "no_answer"] = "not_found" if is_missing else "no_answer"
            return Resolution(failure=failure, message=error.strerror or "", valid_until=until)
        except (OSError, ValueError) as error:
            until = time.monotonic() + KEEP_FAILURE_SECONDS
            return Resolution(failure="no_answer", message=str(error), valid_until=until)
        reasons = {address: self._judge(address) for address in addresses}
        if is_localhost(name) and None in reasons.values():
            # Each loopback address is this machine, so leaving out the forbidden ones is harmless.
            reasons = {address: reason for address, reason in reasons.items() if reason is None}
        blocked = next(((address, reason) for address, reason in reasons.items() if reason), None)
        return Resolution(
            tuple(reasons)[:MAX_TRIED_ADDRESSES],
            blocked,
            "" if reasons else "not_found",
            valid_until=time.monotonic() + KEEP_SECONDS,
        )
