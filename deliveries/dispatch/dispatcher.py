"""The dispatcher claims due deliveries, sends them all from one thread, and settles in bulk.

It knows nothing of django-q2: `run` is called with a lease and a time to end at. Whatever it has
claimed is safe at any moment: if the process dies, the lease runs out and another run takes over.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.utils import timezone

from deliveries.dispatch.concurrency import ConcurrencyLimits
from deliveries.dispatch.fair_queue import FairQueue, Turn
from deliveries.dispatch.lanes import LaneSearch
from deliveries.dispatch.leases import LEASE, LeaseLost, PumpLease, recover
from deliveries.dispatch.outcomes import decide, record_unknown
from deliveries.dispatch.preparation import EndpointCache, Outgoing, prepare
from deliveries.dispatch.rate_limits import return_tokens, take_tokens
from deliveries.dispatch.settlement import cancel_stopped, settle
from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.records import Claim, Settled
from deliveries.transport import Transport, TransportError
from subscriptions.endpoints.own_hosts import is_request_bin, own_hosts

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.01
# While a broadcaster is congested, the lanes are scanned between two long steps if the last scan is
# older than this.
SCAN_BETWEEN_STEPS_SECONDS = 0.01
RECOVER_EVERY_SECONDS = 1.0
# Outcomes wait this long for others to be written with; a full batch does not wait.
SETTLE_AFTER_SECONDS = 0.05
SHARED_SETTLE_AFTER_SECONDS = 0.02
SETTLE_BATCH = 500
DATABASE_PAUSE_SECONDS = 0.5
# The database restarts, is locked, full, or read-only after a failover: the same may succeed later.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)


def make_transport() -> Transport:
    return Transport(
        allowed_networks=settings.WEBHOOKS_ALLOWED_NETWORKS,
        ca_file=settings.WEBHOOKS_EXTRA_CA_FILE or None,
        proxy=settings.WEBHOOKS_EGRESS_PROXY or None,
        refused_hosts=own_hosts(),
        own_url_allowed=is_request_bin,
    )


class Dispatcher:
    """Dispatches for one run of a pump."""

    def __init__(
        self,
        lease: PumpLease,
        transport: Transport,
        limits: ConcurrencyLimits,
        *,
        should_stop: Callable[[], bool],
    ) -> None:
        self._lease = lease
        self._transport = transport
        self._should_stop = should_stop
        self._in_flight: dict[UUID, Outgoing] = {}
        self._limits = limits
        self._endpoints = EndpointCache()
        self._outcomes: list[Settled] = []
        self._settle_at = 0.0
        self._next_scan_at = 0.0
        self._next_recovery_at = 0.0
        self._lanes = LaneSearch()
        self._scanned_at = 0.0
        self._queue = FairQueue()
        # True from before a claim until all that it took is in flight.
        self._is_claiming = False
        self.sent_count = 0

    def run(self, *, until: float) -> None:
        """Dispatch until the monotonic time `until` or a stop signal. Raises LeaseLost."""
        while time.monotonic() < until and not self._should_stop():
            self._try(lambda: self._step(claiming=True))

    def finish(self, *, grace_seconds: float) -> None:
        """Claim no more, wait for what is in flight, then log the rest as unknown. Raises LeaseLost."""
        end = time.monotonic() + grace_seconds
        while self._in_flight and time.monotonic() < end:
            self._try(lambda: self._step(claiming=False))
        now = timezone.now()
        self._transport.abort_all()
        for key in [*self._in_flight]:
            self._add_outcome(record_unknown(self._land(key).claim, now))
        end = time.monotonic() + LEASE.total_seconds()
        while not self._try(self._wind_up):
            if time.monotonic() > end:
                raise LeaseLost

    def salvage(self) -> None:
        """After the lease was lost, write the outcomes of deliveries that nobody has recovered yet."""
        with contextlib.suppress(*DATABASE_AWAY):
            self._settle()

    def _try(self, step: Callable[[], None]) -> bool:
        """Take the step, and return whether the database let it succeed. Raises LeaseLost.

        If not, the outcomes are kept, and responses are read meanwhile: later they would look like
        timeouts.
        """
        try:
            step()
        except DATABASE_AWAY:
            logger.exception("the database did not answer")
            connection.close()
        else:
            return True
        end = time.monotonic() + DATABASE_PAUSE_SECONDS
        while (left := end - time.monotonic()) > 0:
            if not self._in_flight:
                time.sleep(left)
            self._take_results()
        return False

    def _wind_up(self) -> None:
        self._free_unsent()
        self._settle()

    def run_until_idle(self, *, within_seconds: float = 10.0) -> None:
        """Dispatch until nothing is due or in flight: for commands and tests."""
        end = time.monotonic() + within_seconds
        while time.monotonic() < end:
            self._next_scan_at = 0.0
            self._step(claiming=True)
            if self._in_flight or self._outcomes:
                continue
            if not current_store().is_anything_due(timezone.now()):
                return

    def _step(self, *, claiming: bool) -> None:
        self._lease.renew_if_due(self.sent_count)
        self._free_unsent()
        if claiming:
            self._recover_if_due()
            self._claim_if_due()
        if not self._in_flight and time.monotonic() < self._next_scan_at:
            time.sleep(POLL_SECONDS)
        self._take_results()
        if self._outcomes and (
            len(self._outcomes) >= SETTLE_BATCH
            or time.monotonic() >= self._settle_at
            or not self._in_flight
        ):
            if claiming:
                self._claim_from_uncongested()
            self._settle()

    def _take_results(self, within_seconds: float = POLL_SECONDS) -> None:
        for result in self._transport.poll(within_seconds):
            outgoing = self._land(result.key)
            self.sent_count += 1
            if result.error is not None:
                _log_blocked_address(outgoing.claim, result.error)
            settled = decide(outgoing.claim, result, headers=outgoing.logged_headers)
            self._limits.adjust(outgoing.claim.endpoint_id, settled.attempt.failure)
            self._add_outcome(settled)

    def _free_unsent(self) -> None:
        """After a claim that the database broke off: give back what it took without our knowing."""
        if self._is_claiming:
            known = {settled.claim.delivery_id for settled in self._outcomes}
            self._lease.free_unsent(sent=known | self._in_flight.keys())
            self._lanes.forget()
            self._is_claiming = False

    def _recover_if_due(self) -> None:
        if time.monotonic() >= self._next_recovery_at:
            self._next_recovery_at = time.monotonic() + RECOVER_EVERY_SECONDS
            recovered = recover(timezone.now())
            if recovered:
                logger.warning("recovered %d deliveries of dead runs", recovered)

    def _claim_if_due(self) -> None:
        if self._room <= 0 or time.monotonic() < self._next_scan_at:
            return
        now = timezone.now()
        lanes = self._lanes.scan(now)
        self._scanned_at = time.monotonic()
        turn = self._queue.next(lanes)
        claimed = self._claim(now, turn)
        if turn.is_uncongested:
            self._queue.record(turn, claimed)
            if claimed:
                self._lanes.repeat()  # the next turn is that of all these lanes
            else:
                claimed = self._claim(now, self._queue.next(lanes))
        # If something was claimed, scan again at once: there is probably more.
        self._next_scan_at = 0.0 if claimed else time.monotonic() + POLL_SECONDS

    def _claim_from_uncongested(self) -> None:
        """Between two long steps, send what uncongested broadcasters have due."""
        is_time = time.monotonic() >= self._scanned_at + SCAN_BETWEEN_STEPS_SECONDS
        if not (is_time and self._queue.has_congested and self._room > 0):
            return
        now = timezone.now()
        turn = self._queue.uncongested(self._lanes.scan(now))
        self._lanes.repeat()
        self._scanned_at = time.monotonic()
        if not turn.lanes:
            return
        claimed = self._claim(now, turn)
        self._queue.record(turn, claimed)
        if claimed:
            self._take_results(0.0)

    @property
    def _room(self) -> int:
        limit: int = settings.WEBHOOKS_MAX_IN_FLIGHT
        return limit - len(self._in_flight)

    def _claim(self, now: datetime, turn: Turn) -> int:
        room = min(self._room, turn.limit)
        quotas = self._limits.quotas([(x.endpoint_id, x.broadcaster_id) for x in turn.lanes], room)
        if quotas:
            self._queue.advance(turn, len(quotas) if sum(quotas.values()) >= room else 1)
        rates = {x.endpoint_id: x.rate_limit for x in turn.lanes if x.rate_limit}
        limited = {pk: quotas.pop(pk) for pk in rates if pk in quotas}
        unlimited = quotas
        if limited:
            limited = take_tokens(limited, rates, now)
            quotas = quotas | limited
        if not quotas:
            return 0
        self._is_claiming = True
        rows, counts = self._lanes.claim(now, lease_id=self._lease.id, quotas=quotas)
        self._queue.observe(turn.lanes, unlimited, counts)
        if limited:
            return_tokens({pk: n - counts[pk] for pk, n in limited.items() if n > counts[pk]})
        self._send(rows, now, frozenset(x.endpoint_id for x in turn.lanes if not x.is_sendable))
        self._is_claiming = False
        return len(rows)

    def _send(self, rows: Sequence[Any], now: datetime, unsendable: frozenset[int]) -> None:
        if not rows:
            return
        prepared = prepare(rows, now=now, endpoints=self._endpoints, unsendable=unsendable)
        if prepared.stopped:
            cancel_stopped(prepared.stopped, lease_id=self._lease.id)
        for settled in prepared.settled:
            self._add_outcome(settled)
        for outgoing in prepared.outgoing:
            self._launch(outgoing)

    def _launch(self, outgoing: Outgoing) -> None:
        claim = outgoing.claim
        self._in_flight[claim.delivery_id] = outgoing
        self._limits.take(claim.endpoint_id, claim.broadcaster_id)
        self._transport.add(outgoing.request)

    def _land(self, key: UUID) -> Outgoing:
        outgoing = self._in_flight.pop(key)
        self._limits.give_back(outgoing.claim.endpoint_id, outgoing.claim.broadcaster_id)
        return outgoing

    def _add_outcome(self, settled: Settled) -> None:
        if not self._outcomes:
            pause = SHARED_SETTLE_AFTER_SECONDS if self._queue.is_shared else SETTLE_AFTER_SECONDS
            self._settle_at = time.monotonic() + pause
        self._outcomes.append(settled)

    def _settle(self) -> None:
        """Write the outcomes; after a failed transaction they are kept for the next call."""
        counted = settle(self._outcomes, lease_id=self._lease.id, shard=self._lease.slot)
        if counted < len(self._outcomes):
            logger.warning("%d outcomes came too late to count", len(self._outcomes) - counted)
        self._outcomes = []


def _log_blocked_address(claim: Claim, error: TransportError) -> None:
    """Log which address was refused and why, for the operator: the tenant is not told."""
    if error.blocked_reason is not None:
        place = f"{error.blocked_address}: " if error.blocked_address else ""
        logger.warning(
            "endpoint %d was not sent to: %s%s", claim.endpoint_id, place, error.blocked_reason
        )
