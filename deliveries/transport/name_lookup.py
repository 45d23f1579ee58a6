"""Names to addresses, in threads of our own, so that every record can be judged before any is
used, and a name server that does not answer holds up nobody but its own names."""

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
# Names that kept a thread waiting last time get at most this many threads, so that the
# others always find one free.
MAX_THREADS_FOR_SLOW_NAMES = 16
SLOW_SECONDS = 1.0
KEEP_SECONDS = 30.0
KEEP_FAILURE_SECONDS = 5.0
MAX_KEPT = 20_000
# Of a name with hundreds of records all are judged, but no request knocks at hundreds of doors.
MAX_TRIED_ADDRESSES = 8
_IDLE_THREAD_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name stands for. blocked: (address, reason) of a record that may not be called;
    failure: the name does not exist, or nobody could say."""

    addresses: tuple[str, ...] = ()
    blocked: tuple[str, str] | None = None
    failure: Literal["", "not_found", "no_answer"] = ""
    message: str = ""
    good_until: float = 0.0


class NameLookup:
    """Looks names up without making the caller wait: `ask` answers from what is known or not at
    all; `wakeup` becomes readable when new answers can be fetched with `take`."""

    def __init__(self, *, judge: Judge, resolve: Resolve | None = None) -> None:
        self._judge = judge
        self._resolve = resolve or resolve_by_system
        self._known: dict[str, Answer] = {}
        self._slow: set[str] = set()
        self._lock = threading.Condition()
        self._fresh_names: deque[str] = deque()
        self._slow_names: deque[str] = deque()
        self._pending: set[str] = set()
        self._answers: deque[tuple[str, Answer]] = deque()
        self._threads = self._idle_threads = self._on_slow_names = 0
        self._closed = False
        self.wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ask(self, name: str) -> Answer | None:
        """The answer if it is known and fresh; else None, and `take` will bring it."""
        known = self._known.get(name)
        if known is not None and known.good_until > time.monotonic():
            return known
        with self._lock:
            if name not in self._pending:
                self._pending.add(name)
                (self._slow_names if name in self._slow else self._fresh_names).append(name)
                self._wake_a_thread()
        return None

    def take(self) -> list[tuple[str, Answer]]:
        """The answers that came since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.wakeup)
        with self._lock:
            taken = list(self._answers)
            self._answers.clear()
            self._pending.difference_update(name for name, _ in taken)
        if len(self._known) + len(taken) > MAX_KEPT:
            self._known.clear()
        self._known.update(taken)
        return taken

    def close(self) -> None:
        """Look-ups under way end by themselves; their answers are dropped."""
        with self._lock:
            self._closed = True
            os.close(self.wakeup)
            self._lock.notify_all()

    def _wake_a_thread(self) -> None:
        if self._idle_threads == 0 and self._threads < MAX_THREADS:
            self._threads += 1
            # A daemon: getaddrinfo cannot be interrupted and must not keep a process alive.
            threading.Thread(target=self._work, name="name-lookup", daemon=True).start()
        else:
            self._lock.notify()

    def _work(self) -> None:
        while (job := self._next_name()) is not None:
            name, is_slow = job
            started = time.monotonic()
            answer = self._look_up(name)
            with self._lock:
                self._on_slow_names -= is_slow
                self._remember_speed(name, time.monotonic() - started)
                if self._closed:
                    break
                self._answers.append((name, answer))
                os.eventfd_write(self.wakeup, 1)
        with self._lock:
            self._threads -= 1

    def _next_name(self) -> tuple[str, bool] | None:
        with self._lock:
            while not self._closed:
                if self._fresh_names:
                    return self._fresh_names.popleft(), False
                if self._slow_names and self._on_slow_names < MAX_THREADS_FOR_SLOW_NAMES:
                    self._on_slow_names += 1
                    return self._slow_names.popleft(), True
                self._idle_threads += 1
                woken = self._lock.wait(_IDLE_THREAD_SECONDS)
                self._idle_threads -= 1
                if not woken:
                    break
        return None

    def _remember_speed(self, name: str, seconds: float) -> None:
        if seconds > SLOW_SECONDS:
            if len(self._slow) >= MAX_KEPT:
                self._slow.clear()
            self._slow.add(name)
        else:
            self._slow.discard(name)

    def _look_up(self, name: str) -> Answer:
        try:
            addresses = self._resolve(name)
        except socket.gaierror as error:
            # Only the first says that there is no such name; all others, that nobody knows.
            known = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
            until = time.monotonic() + KEEP_FAILURE_SECONDS
            failure: Literal["not_found", "no_answer"] = "not_found" if known else "no_answer"
            return Answer(failure=failure, message=error.strerror or "", good_until=until)
        except (OSError, ValueError) as error:
            until = time.monotonic() + KEEP_FAILURE_SECONDS
            return Answer(failure="no_answer", message=str(error), good_until=until)
        reasons = {address: self._judge(address) for address in addresses}
        if is_localhost(name) and None in reasons.values():
            # Every loopback address is this machine: those that are not allowed are left out.
            reasons = {address: reason for address, reason in reasons.items() if reason is None}
        blocked = next(((address, reason) for address, reason in reasons.items() if reason), None)
        return Answer(
            tuple(reasons)[:MAX_TRIED_ADDRESSES],
            blocked,
            "" if reasons else "not_found",
            good_until=time.monotonic() + KEEP_SECONDS,
        )
