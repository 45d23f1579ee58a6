"""A pump: a worker's task that dispatches for a time box, queues its successor, and ends."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from django.db import OperationalError, close_old_connections, connection
from django.utils import timezone

from deliveries.dispatch import leases
from deliveries.dispatch.concurrency import ConcurrencyLimits
from deliveries.dispatch.dispatcher import DATABASE_AWAY, Dispatcher, make_transport
from deliveries.dispatch.leases import LEASE, LeaseLost, PumpLease
from deliveries.dispatch.store import current_store
from deliveries.transport import Transport
from deliveries.workers.stop_signal import StopSignal, end_own_group_if_orphaned
from deliveries.workers.wake import queue_pump

logger = logging.getLogger(__name__)
BOX_SECONDS = 25.0
# The successor is queued this long before the box ends, so that it is ready at the handover.
_HANDOVER_SECONDS = 2.0
_FINISH_SECONDS = 8.0
_STOP_GRACE_SECONDS = 3.0
# The slot of a killed run is free when its lease has expired.
_WAIT_FOR_SLOT_SECONDS = LEASE.total_seconds() + 3.0
_WAIT_STEP_SECONDS = 0.02

_transport: Transport | None = None
_limits = ConcurrencyLimits()
_transport_pid = 0


def run_pump(slot: int) -> str:
    """Dispatch for a time box; do nothing if the slot is taken. Returns words for the log."""
    stop = StopSignal.from_environment()
    lease = _wait_for_slot(slot, stop)
    if lease is None:
        return f"slot {slot} is taken"
    dispatcher = Dispatcher(lease, _shared_transport(), _limits, should_stop=stop.is_set)
    is_ended = False
    try:
        with current_store().planning_by_index():
            _run(dispatcher, lease, stop)
        is_ended = True
    except LeaseLost:
        logger.warning("pump %d lost its lease: another run takes over", slot)
        dispatcher.salvage()
    finally:
        if not is_ended:
            # The transport may still hold requests of this run.
            _forget_transport()
            _try(lease.lose)
        end_own_group_if_orphaned(stop)
    return f"sent {dispatcher.sent_count}"


def _run(dispatcher: Dispatcher, lease: PumpLease, stop: StopSignal) -> None:
    """Dispatch for the box, hand the slot over, and finish what is in flight. Raises LeaseLost."""
    dispatcher.run(until=time.monotonic() + BOX_SECONDS - _HANDOVER_SECONDS)
    if not stop.is_set():
        _try(lambda: queue_pump(lease.slot))
        dispatcher.run(until=time.monotonic() + _HANDOVER_SECONDS)
    _try(lease.give_up_slot)
    dispatcher.finish(grace_seconds=_STOP_GRACE_SECONDS if stop.is_set() else _FINISH_SECONDS)
    _try(lease.end)


def _try(step: Callable[[], object]) -> None:
    """Take a step that may fail while the database is away: the schedule or the lease make up for it."""
    try:
        step()
    except DATABASE_AWAY:
        logger.exception("the database did not answer")
        connection.close()


def _wait_for_slot(slot: int, stop: StopSignal) -> PumpLease | None:
    end = time.monotonic() + _WAIT_FOR_SLOT_SECONDS
    while not stop.wait(_WAIT_STEP_SECONDS):
        try:
            lease = PumpLease.take(slot)
        except OperationalError:
            close_old_connections()
            lease = None
        if lease is not None or time.monotonic() > end:
            return lease
    return None


def _shared_transport() -> Transport:
    """One transport per worker process, so that connections stay open from run to run."""
    global _transport, _transport_pid
    if _transport is None or _transport_pid != os.getpid():
        _transport, _transport_pid = make_transport(), os.getpid()
    return _transport


def _forget_transport() -> None:
    global _transport, _limits
    _limits = ConcurrencyLimits()
    if _transport is not None and _transport_pid == os.getpid():
        _transport.close()
    _transport = None


def adopt_orphans() -> None:
    """Recover the deliveries of runs that nobody knows of any more."""
    if run_count := leases.adopt_orphans(timezone.now()):
        logger.warning("deliveries of %d unknown runs are recovered", run_count)
