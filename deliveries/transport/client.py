"""The one door out: every delivery leaves here, through libcurl's multi interface, from one thread.

Addresses are judged when a name is resolved (one record that may not be called refuses the name)
and again where the socket is opened, so a name cannot be re-pointed in between. No redirect is
followed. `timeout_seconds` ends a request whatever its receiver does. Linux only (epoll, eventfd).
"""

from __future__ import annotations

import resource
import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pycurl

from deliveries.transport.ca_bundle import CABundle
from deliveries.transport.connections import Connections
from deliveries.transport.name_lookup import Answer, NameLookup, Resolve
from deliveries.transport.request_headers import UnsendableHeader
from deliveries.transport.result import (
    MAX_CONNECT_SECONDS,
    OutboundRequest,
    TransportError,
    TransportResult,
)
from deliveries.transport.sockets import Sockets
from deliveries.transport.transfer import DoorSettings, Transfer, Waiting
from subscriptions.endpoints.addresses import IPNetwork, find_address_fault
from subscriptions.endpoints.url_rules import EndpointURL, check_target, parse_url
from subscriptions.errors import Refused

__all__ = ["OutboundRequest", "Transport", "TransportError", "TransportResult"]

_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
_MAX_FINISHED = 1024
_LOOKUP_CHECK_SECONDS = 0.1
# A receiver that closes connections without a word gets new ones for this long.
_FRESH_SECONDS = 60.0
_MAX_REMEMBERED = 10_000
_MAX_OPEN_FILES = 65_536


class Transport:
    """Requests go in with `add`, results come out of `poll`. Not thread-safe.

    allowed_networks: reachable although not public. ca_file: PEM of authorities trusted besides
    the system's. proxy: URL of a proxy that everything goes through; it resolves names and judges
    addresses. refused_hosts: our own names ("portal.example", or "portal.example:8000" for one
    port); own_url_allowed says which URLs may go there all the same. resolve: in place of the
    system's resolver; raises socket.gaierror.
    """

    def __init__(
        self,
        *,
        allowed_networks: Sequence[IPNetwork],
        ca_file: str | None = None,
        proxy: str | None = None,
        refused_hosts: frozenset[str] = frozenset(),
        own_url_allowed: Callable[[str], bool] = lambda url: False,
        max_idle_connections: int = 500,
        resolve: Resolve | None = None,
    ) -> None:
        self._networks = tuple(allowed_networks)
        self._refused_hosts = refused_hosts
        self._own_url_allowed = own_url_allowed
        self._ca_bundle = CABundle(ca_file)
        self._lookup = NameLookup(judge=self._judge, resolve=resolve)
        # The name of a proxy is resolved by libcurl, with sockets of its own that nobody tells of.
        self._sockets = Sockets(keeps=proxy is None)
        self._sockets.watch(self._lookup.wakeup, select.EPOLLIN)
        self._settings = DoorSettings(
            self._judge, self._ca_bundle.path, proxy, Connections(self._sockets), self._sockets
        )
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, max_idle_connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._timer_due: float | None = None
        self._has_begun = False
        self._queue: deque[OutboundRequest] = deque()
        self._resolving: dict[str, list[Waiting]] = {}
        self._next_lookup_check = 0.0
        self._active: dict[pycurl.Curl, Transfer] = {}
        self._spare: list[Transfer] = []
        self._finished: list[TransportResult] = []
        self._targets: dict[str, EndpointURL | TransportError] = {}
        self._loaded: dict[tuple[str, int], Answer] = {}
        self._fresh_until: dict[str, float] = {}
        self._expiries: dict[str, datetime] = {}
        _raise_open_files_limit()

    def add(self, request: OutboundRequest) -> None:
        """Queue a request; the next `poll` starts it. Never raises for what is in it."""
        self._queue.append(request)

    @property
    def in_flight(self) -> int:
        """Requests added whose result `poll` has not returned."""
        waiting = sum(map(len, self._resolving.values()))
        return len(self._queue) + waiting + len(self._active) + len(self._finished)

    def poll(self, timeout_seconds: float) -> list[TransportResult]:
        """Results, as soon as there is one; [] after the timeout, or at once when nothing is in
        flight."""
        end = time.monotonic() + timeout_seconds
        while True:
            self._start_queued()
            self._run_timer()
            self._collect()
            if self._finished or not (self._active or self._resolving):
                break
            left = end - time.monotonic()
            if left <= 0:
                break
            self._wait(left)
            self._expire_lookups()
        results, self._finished = self._finished, []
        return results

    def abort_all(self) -> None:
        """End all requests under way. Each may have reached its receiver."""
        self._queue.clear()
        self._resolving.clear()
        self._finished.clear()
        for curl, transfer in self._active.items():
            self._multi.remove_handle(curl)
            transfer.release()
            self._spare.append(transfer)
        self._active.clear()

    def close(self) -> None:
        """End everything, connections included."""
        self.abort_all()
        self._multi.close()
        for transfer in self._spare:
            transfer.close()
        self._spare.clear()
        self._sockets.close()
        self._lookup.close()
        self._ca_bundle.close()

    # --- starting -------------------------------------------------------------------------------

    def _start_queued(self) -> None:
        while self._queue:
            request = self._queue.popleft()
            target = self._target(request.url)
            if isinstance(target, TransportError):
                self._refuse(request, target)
                continue
            waiting = Waiting(request, target)
            if target.address is not None or self._settings.proxy:
                self._begin(waiting, None)
            elif (answer := self._lookup.ask(target.host)) is not None:
                self._begin_at(waiting, answer)
            else:
                self._resolving.setdefault(target.host, []).append(waiting)

    def _begin_at(self, waiting: Waiting, answer: Answer) -> None:
        """Go on with the addresses of the name, or end here."""
        if answer.failure:
            self._fail_lookup(waiting, answer.failure, answer.message)
        elif answer.blocked is not None:
            address, reason = answer.blocked
            error = _refusal(reason, address)
            self._finished.append(_without_response(waiting, error))
        else:
            self._begin(waiting, answer)

    def _begin(self, waiting: Waiting, answer: Answer | None) -> None:
        transfer = self._spare.pop() if self._spare else Transfer(self._settings)
        target = waiting.target
        waiting.fresh = waiting.fresh or self._wants_fresh(target.authority)
        resolve = None
        if answer is not None and self._loaded.get((target.host, target.port)) is not answer:
            places = ",".join(f"[{a}]" if ":" in a else a for a in answer.addresses)
            resolve = f"{target.host}:{target.port}:{places}".encode("ascii")
        try:
            transfer.begin(waiting, answer, resolve)
            self._multi.add_handle(transfer.curl)
        except (UnsendableHeader, pycurl.error) as error:
            self._spare.append(transfer)
            failure = TransportError(0, str(error), "send", evidence={"own_fault": str(error)})
            self._finished.append(_without_response(waiting, failure))
        else:
            self._active[transfer.curl] = transfer
            self._has_begun = True

    def _wants_fresh(self, authority: str) -> bool:
        until = self._fresh_until.get(authority)
        return until is not None and until > time.monotonic()

    # --- waiting --------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        """Until a socket is ready, a name is resolved or a timer is due."""
        now = time.monotonic()
        if self._timer_due is not None:
            seconds = min(seconds, max(0.0, self._timer_due - now))
        if self._resolving:
            seconds = min(seconds, _LOOKUP_CHECK_SECONDS)
        for fd, events in self._sockets.ready(seconds):
            if fd == self._lookup.wakeup:
                self._take_answers()
                continue
            ready = pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
            if events & ~select.EPOLLOUT:
                ready |= pycurl.CSELECT_IN
            if events & select.EPOLLERR:
                ready |= pycurl.CSELECT_ERR
            self._multi.socket_action(fd, ready)

    def _run_timer(self) -> None:
        # A timer may set the next one to "now": a few rounds, so that new requests get going.
        for _ in range(4):
            if self._timer_due is None or self._timer_due > time.monotonic():
                return
            self._timer_due = None
            if self._has_begun:
                # Kept connections are about to be written to.
                self._has_begun = False
                self._sockets.listen()
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _on_timer(self, milliseconds: int) -> None:
        if milliseconds == 0:
            self._timer_due = 0.0  # at once: most are, and need no look at the clock
        else:
            self._timer_due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._sockets.release(fd)
        else:
            self._sockets.watch(fd, _EVENTS[what])

    def _take_answers(self) -> None:
        for name, answer in self._lookup.take():
            for waiting in self._resolving.pop(name, ()):
                waiting.dns_seconds = time.monotonic() - waiting.added
                self._begin_at(waiting, answer)

    def _expire_lookups(self) -> None:
        now = time.monotonic()
        if not self._resolving or now < self._next_lookup_check:
            return
        self._next_lookup_check = now + _LOOKUP_CHECK_SECONDS
        for name, group in list(self._resolving.items()):
            late = [
                w
                for w in group
                if now - w.added >= min(w.request.timeout_seconds, MAX_CONNECT_SECONDS)
            ]
            for waiting in late:
                waiting.dns_seconds = now - waiting.added
                self._fail_lookup(waiting, "no_answer", "the name servers did not answer in time")
            if len(late) == len(group):
                del self._resolving[name]
            elif late:
                self._resolving[name] = [waiting for waiting in group if waiting not in late]

    # --- ending ---------------------------------------------------------------------------------

    def _collect(self) -> None:
        while self._active:
            queued, succeeded, failed = self._multi.info_read(_MAX_FINISHED)
            for curl in succeeded:
                self._finish(curl, 0, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)
            if not queued:
                return

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        transfer = self._active.pop(curl)
        waiting = transfer.waiting
        unsent = transfer.met_unasked_answer
        again = unsent or (not waiting.sent_again and transfer.met_closed_connection(code))
        result = None if again else self._with_expiry(waiting, transfer.result(code, message))
        self._multi.remove_handle(curl)
        transfer.release()
        self._spare.append(transfer)
        if transfer.answer is not None:
            self._remember(
                self._loaded, (waiting.target.host, waiting.target.port), transfer.answer
            )
        if result is not None:
            self._finished.append(result)
            return
        waiting.fresh = True
        if not unsent:
            waiting.sent_again = True
            fresh_until = time.monotonic() + _FRESH_SECONDS
            self._remember(self._fresh_until, waiting.target.authority, fresh_until)
        self._begin(waiting, transfer.answer)

    def _with_expiry(self, waiting: Waiting, result: TransportResult) -> TransportResult:
        """A kept connection shows no certificate again: the one seen when it was made counts."""
        if waiting.target.scheme != "https":
            return result
        authority = waiting.target.authority
        if result.certificate_expires_at is not None:
            self._remember(self._expiries, authority, result.certificate_expires_at)
            return result
        return result._replace(certificate_expires_at=self._expiries.get(authority))

    def _fail_lookup(self, waiting: Waiting, failure: str, message: str) -> None:
        error = TransportError(
            pycurl.E_COULDNT_RESOLVE_HOST, message, "dns", evidence={"dns": failure}
        )
        self._finished.append(_without_response(waiting, error))

    def _refuse(self, request: OutboundRequest, error: TransportError) -> None:
        self._finished.append(_without_response(Waiting(request, _NOWHERE), error))

    # --- rules ----------------------------------------------------------------------------------

    def _judge(self, address: str) -> str | None:
        return find_address_fault(address, self._networks)

    def _target(self, url: str) -> EndpointURL | TransportError:
        known = self._targets.get(url)
        if known is None:
            known = self._check(url)
            self._remember(self._targets, url, known)
        return known

    def _check(self, url: str) -> EndpointURL | TransportError:
        try:
            target = parse_url(url)
            own = frozenset() if self._is_own_and_allowed(target) else self._refused_hosts
            check_target(target, own_hosts=own, allowed_networks=self._networks)
        except Refused as refused:
            return replace(_refusal(refused.detail, ""), evidence={"url_rule": refused.detail})
        return target

    def _is_own_and_allowed(self, target: EndpointURL) -> bool:
        dotted = "/." in target.path or "%2e" in target.path.lower()
        return not dotted and self._own_url_allowed(str(target))

    @staticmethod
    def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
        if len(memory) >= _MAX_REMEMBERED:
            memory.clear()
        memory[key] = value


_NOWHERE = EndpointURL("http", "", 80, "/", None)


def _refusal(reason: str, address: str) -> TransportError:
    return TransportError(
        pycurl.E_COULDNT_CONNECT, "refused before connecting", "connect", reason, address
    )


def _without_response(waiting: Waiting, error: TransportError) -> TransportResult:
    """The result of a request that was never handed to libcurl."""
    dns_ms = None if waiting.dns_seconds is None else round(waiting.dns_seconds * 1000, 3)
    return TransportResult(
        key=waiting.request.key,
        sent_at=waiting.sent_at,
        responded_at=None,
        duration_ms=round((time.monotonic() - waiting.added) * 1000, 3),
        dns_ms=dns_ms,
        connect_ms=None,
        tls_ms=None,
        first_byte_ms=None,
        remote_address="",
        status_code=None,
        headers=(),
        body=b"",
        truncated=False,
        error=error,
        sent_again=waiting.sent_again,
    )


def _raise_open_files_limit() -> None:
    """The soft limit is 1,024 on most systems, and each request in flight needs a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
