"""The transport: sends requests through libcurl's multi interface, all from one thread.

Addresses are judged when a name is resolved (one record that may not be called refuses the name)
and again when the socket is opened, so a name cannot be re-pointed in between. No redirect is
followed. `timeout_seconds` ends a request whatever its receiver does. Linux only (epoll, eventfd).
"""

from __future__ import annotations

import resource
import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import pycurl

from deliveries.transport.bounded_memory import remember
from deliveries.transport.ca_bundle import CABundle
from deliveries.transport.connections import Connections
from deliveries.transport.egress_rules import EgressRules, refusal
from deliveries.transport.name_lookup import NameLookup, Resolution, Resolve
from deliveries.transport.options import TransportSettings
from deliveries.transport.pending_request import PendingRequest, result_without_response
from deliveries.transport.request_headers import UnsendableHeader
from deliveries.transport.result import (
    MAX_CONNECT_SECONDS,
    OutboundRequest,
    TransportError,
    TransportResult,
)
from deliveries.transport.sockets import Sockets
from deliveries.transport.transfer import Transfer
from subscriptions.endpoints.addresses import IPNetwork
from subscriptions.endpoints.url_rules import EndpointURL

_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
_MAX_MESSAGES = 1024
_LOOKUP_CHECK_SECONDS = 0.1
# A receiver that closed a kept connection without a word gets new connections for this long.
_NEW_CONNECTIONS_SECONDS = 60.0
_MAX_OPEN_FILES = 65_536
_NO_TARGET = EndpointURL("http", "", 80, "/", None)


class Transport:
    """Requests go in with `add`, results come out of `poll`. Not thread-safe.

    allowed_networks: may be called although they are not public. ca_file: PEM of authorities
    trusted besides the system's. proxy: URL of a proxy that every request goes through; it
    resolves names and judges addresses. refused_hosts: our own names ("portal.example", or
    "portal.example:8000" for one port); own_url_allowed says which URLs may go there all the
    same. resolve: used in place of the system's resolver; raises socket.gaierror.
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
        self._rules = EgressRules(
            allowed_networks=allowed_networks,
            refused_hosts=refused_hosts,
            own_url_allowed=own_url_allowed,
        )
        self._ca_bundle = CABundle(ca_file)
        self._lookup = NameLookup(judge=self._rules.judge, resolve=resolve)
        # libcurl resolves the name of a proxy, with sockets of its own that are not announced.
        self._sockets = Sockets(keeps_released=proxy is None)
        self._sockets.watch(self._lookup.wakeup, select.EPOLLIN)
        self._settings = TransportSettings(
            self._rules.judge,
            self._ca_bundle.path,
            proxy,
            Connections(self._sockets),
            self._sockets,
        )
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, max_idle_connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._timer_due: float | None = None
        self._has_started = False
        self._queue: deque[OutboundRequest] = deque()
        self._resolving: dict[str, list[PendingRequest]] = {}
        self._next_lookup_check = 0.0
        self._active: dict[pycurl.Curl, Transfer] = {}
        self._spare: list[Transfer] = []
        self._finished: list[TransportResult] = []
        # The addresses that libcurl has in its cache, by host and port.
        self._cached_by_curl: dict[tuple[str, int], Resolution] = {}
        # By authority, in monotonic seconds: until when no kept connection is used.
        self._new_connections_until: dict[str, float] = {}
        # By authority: when the certificate seen last expires.
        self._expiries: dict[str, datetime] = {}
        _raise_open_files_limit()

    def add(self, request: OutboundRequest) -> None:
        """Queue a request; the next `poll` starts it. Never raises for what is in it."""
        self._queue.append(request)

    @property
    def in_flight(self) -> int:
        """Requests added whose result `poll` has not returned."""
        resolving = sum(map(len, self._resolving.values()))
        return len(self._queue) + resolving + len(self._active) + len(self._finished)

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
        """End all requests in flight. Each may have reached its receiver."""
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
            target = self._rules.target(request.url)
            if isinstance(target, TransportError):
                self._fail(PendingRequest(request, _NO_TARGET), target)
                continue
            pending = PendingRequest(request, target)
            if target.address is not None or self._settings.proxy:
                self._start(pending, None)
            elif (resolution := self._lookup.ask(target.host)) is not None:
                self._start_resolved(pending, resolution)
            else:
                self._resolving.setdefault(target.host, []).append(pending)

    def _start_resolved(self, pending: PendingRequest, resolution: Resolution) -> None:
        """Send to the addresses of the name, or fail if it has none that may be called."""
        if resolution.failure:
            self._fail_lookup(pending, resolution.failure, resolution.message)
        elif resolution.blocked is not None:
            address, reason = resolution.blocked
            self._fail(pending, refusal(reason, address))
        else:
            self._start(pending, resolution)

    def _start(self, pending: PendingRequest, resolution: Resolution | None) -> None:
        """Hand the request to libcurl; resolution: None if libcurl needs no address from us."""
        transfer = self._spare.pop() if self._spare else Transfer(self._settings)
        target = pending.target
        if not pending.needs_new_connection:
            pending.needs_new_connection = self._needs_new_connection(target.authority)
        line = None
        if (
            resolution is not None
            and self._cached_by_curl.get((target.host, target.port)) is not resolution
        ):
            addresses = ",".join(f"[{a}]" if ":" in a else a for a in resolution.addresses)
            line = f"{target.host}:{target.port}:{addresses}".encode("ascii")
        try:
            transfer.start(pending, resolution, line)
            self._multi.add_handle(transfer.curl)
        except (UnsendableHeader, pycurl.error) as error:
            self._spare.append(transfer)
            evidence = {"own_fault": str(error)}
            self._fail(pending, TransportError(0, str(error), "send", evidence=evidence))
        else:
            self._active[transfer.curl] = transfer
            self._has_started = True

    def _needs_new_connection(self, authority: str) -> bool:
        until = self._new_connections_until.get(authority)
        return until is not None and until > time.monotonic()

    # --- waiting --------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        """Wait until a socket is ready, a name is resolved or a timer is due, and act on it."""
        now = time.monotonic()
        if self._timer_due is not None:
            seconds = min(seconds, max(0.0, self._timer_due - now))
        if self._resolving:
            seconds = min(seconds, _LOOKUP_CHECK_SECONDS)
        for fd, events in self._sockets.ready(seconds):
            if fd == self._lookup.wakeup:
                self._start_newly_resolved()
                continue
            ready = pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
            if events & ~select.EPOLLOUT:
                ready |= pycurl.CSELECT_IN
            if events & select.EPOLLERR:
                ready |= pycurl.CSELECT_ERR
            self._multi.socket_action(fd, ready)

    def _run_timer(self) -> None:
        # A timer may set the next one to "now", so a few rounds get new requests going.
        for _ in range(4):
            if self._timer_due is None or self._timer_due > time.monotonic():
                return
            self._timer_due = None
            if self._has_started:
                # Kept connections are about to be written to: learn first which are not silent.
                self._has_started = False
                self._sockets.poll_idle()
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _on_timer(self, milliseconds: int) -> None:
        if milliseconds == 0:
            self._timer_due = 0.0  # "at once", as most are: saves reading the clock
        else:
            self._timer_due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._sockets.release(fd)
        else:
            self._sockets.watch(fd, _EVENTS[what])

    def _start_newly_resolved(self) -> None:
        for name, resolution in self._lookup.collect():
            for pending in self._resolving.pop(name, ()):
                pending.dns_seconds = time.monotonic() - pending.added_at
                self._start_resolved(pending, resolution)

    def _expire_lookups(self) -> None:
        now = time.monotonic()
        if not self._resolving or now < self._next_lookup_check:
            return
        self._next_lookup_check = now + _LOOKUP_CHECK_SECONDS
        for name, group in list(self._resolving.items()):
            expired = [
                pending
                for pending in group
                if now - pending.added_at
                >= min(pending.request.timeout_seconds, MAX_CONNECT_SECONDS)
            ]
            for pending in expired:
                pending.dns_seconds = now - pending.added_at
                self._fail_lookup(pending, "no_answer", "the name servers did not answer in time")
            if len(expired) == len(group):
                del self._resolving[name]
            elif expired:
                self._resolving[name] = [pending for pending in group if pending not in expired]

    # --- ending ---------------------------------------------------------------------------------

    def _collect(self) -> None:
        while self._active:
            queued, succeeded, failed = self._multi.info_read(_MAX_MESSAGES)
            for curl in succeeded:
                self._finish(curl, 0, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)
            if not queued:
                return

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        """Take the result of a transfer, or send its request again on a new connection."""
        transfer = self._active.pop(curl)
        pending, resolution = transfer.pending, transfer.resolution
        was_not_sent = transfer.met_unasked_input
        repeats = was_not_sent or (not pending.sent_again and transfer.met_closed_connection(code))
        result = None if repeats else self._with_expiry(pending, transfer.result(code, message))
        self._multi.remove_handle(curl)
        transfer.release()
        self._spare.append(transfer)
        if resolution is not None:
            remember(self._cached_by_curl, (pending.target.host, pending.target.port), resolution)
        if result is not None:
            self._finished.append(result)
            return
        pending.needs_new_connection = True
        if not was_not_sent:
            pending.sent_again = True
            until = time.monotonic() + _NEW_CONNECTIONS_SECONDS
            remember(self._new_connections_until, pending.target.authority, until)
        self._start(pending, resolution)

    def _with_expiry(self, pending: PendingRequest, result: TransportResult) -> TransportResult:
        """A kept connection shows no certificate again: the one of its first request counts."""
        if pending.target.scheme != "https":
            return result
        authority = pending.target.authority
        if result.certificate_expires_at is not None:
            remember(self._expiries, authority, result.certificate_expires_at)
            return result
        return result._replace(certificate_expires_at=self._expiries.get(authority))

    def _fail_lookup(self, pending: PendingRequest, failure: str, message: str) -> None:
        code, evidence = pycurl.E_COULDNT_RESOLVE_HOST, {"dns": failure}
        self._fail(pending, TransportError(code, message, "dns", evidence=evidence))

    def _fail(self, pending: PendingRequest, error: TransportError) -> None:
        self._finished.append(result_without_response(pending, error))


def _raise_open_files_limit() -> None:
    """Each request in flight needs a socket, and the soft limit is 1,024 on most systems."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
