"""Leases of pump runs, and the recovery of what a dead run was sending.

A delivery under way carries the id of its run in `lease_id`. The run renews one row, its own, and
by that keeps all its deliveries; a run that cannot renew in time has lost them: what it still
writes counts only where nobody has recovered the delivery. The id never comes again, so it is the
fence as well.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from deliveries.dispatch.outcomes import record_unknown
from deliveries.dispatch.settlement import settle
from deliveries.dispatch.store.records import Claim
from deliveries.models import Delivery, DeliveryStatus, Pump

LEASE = timedelta(seconds=12)
RENEW_EVERY_SECONDS = 2.0
_RECOVER_BATCH = 500


class LeaseLost(Exception):
    """The lease ran out before it was renewed: others may be sending what this run claimed."""


@dataclass(slots=True)
class PumpLease:
    """The lease of one run of a pump."""

    id: int
    slot: int
    _renew_at: float
    _may_hold_more: bool = False

    @classmethod
    def take(cls, slot: int) -> PumpLease | None:
        """A lease on the slot, or None while another run holds it."""
        now = timezone.now()
        try:
            with transaction.atomic():
                # Its row stays until what it was sending is recovered.
                Pump.objects.filter(slot=slot, lease_expires_at__lte=now).update(slot=None)
                pump = Pump.objects.create(
                    slot=slot, lease_expires_at=now + LEASE, **_this_process(now)
                )
        except IntegrityError:
            return None
        return cls(pump.pk, slot, time.monotonic() + RENEW_EVERY_SECONDS)

    def renew_if_due(self, sent_count: int) -> None:
        """Raises LeaseLost where it is too late."""
        if time.monotonic() < self._renew_at:
            return
        now = timezone.now()
        if not Pump.objects.filter(pk=self.id, lease_expires_at__gt=now).update(
            heartbeat_at=now, lease_expires_at=now + LEASE, sent_count=sent_count
        ):
            raise LeaseLost
        self._renew_at = time.monotonic() + RENEW_EVERY_SECONDS

    def give_up_slot(self) -> None:
        """Let a successor start, while this run finishes what it has under way."""
        Pump.objects.filter(pk=self.id).update(slot=None)

    def free_unsent(self, *, sent: Collection[UUID]) -> None:
        """After a claim whose answer was lost: give back what it took, but for what was sent."""
        self._may_hold_more = True
        Delivery.objects.filter(status=DeliveryStatus.PENDING, lease_id=self.id).exclude(
            pk__in=sent
        ).update(lease_id=None)

    def end(self) -> None:
        """Nothing is under way any more, and all outcomes are written."""
        if self._may_hold_more:
            # The lost claim may be committed even now, and without the run's row nobody would
            # find what it took.
            self._keep_row(until=timezone.now() + LEASE)
        else:
            Pump.objects.filter(pk=self.id).delete()

    def lose(self) -> None:
        """When nothing is sent any more: leave what was under way to recovery.

        Where the database stood still, the last claim can have come after the lease ran out, when
        recovery had seen nothing of this run's and deleted its row.
        """
        self._keep_row(until=timezone.now())

    def _keep_row(self, *, until: datetime) -> None:
        given = {"slot": None, "lease_expires_at": until}
        Pump.objects.update_or_create(
            pk=self.id, defaults=given, create_defaults=given | _this_process(timezone.now())
        )


def _this_process(now: datetime) -> dict[str, Any]:
    host = socket.gethostname()[:100]
    return {"host": host, "pid": os.getpid(), "started_at": now, "heartbeat_at": now}


def recover(now: datetime) -> int:
    """Log an attempt with the outcome unknown for what dead runs were sending, and free it.

    Returns how many deliveries it was; costs one look at the pumps where no run has died. Safe to
    run by several at once: each row is freed by the one whose conditional UPDATE finds it.
    """
    recovered = 0
    for run in Pump.objects.filter(lease_expires_at__lte=now):
        lost = list(
            Delivery.objects.filter(status=DeliveryStatus.PENDING, lease_id=run.pk)
            .select_related("endpoint__broadcaster__platform")
            .order_by("pk")[:_RECOVER_BATCH]
        )
        outcomes = [record_unknown(Claim.of(delivery), now) for delivery in lost]
        recovered += settle(outcomes, lease_id=run.pk, shard=0)
        if not lost:
            # Unless the run has just come back, to say that it holds more.
            Pump.objects.filter(pk=run.pk, lease_expires_at=run.lease_expires_at).delete()
    return recovered


def adopt_orphans(now: datetime) -> int:
    """Give a row back to each run that is gone while deliveries still carry its lease: of a process
    that was killed in the moment for which `lose` is there. Returns how many runs it was.

    Looks through the whole queue.
    """
    held = Delivery.objects.filter(status=DeliveryStatus.PENDING, lease_id__isnull=False)
    gone = held.exclude(lease_id__in=Pump.objects.values("pk")).order_by().values("lease_id")
    runs = [
        Pump(pk=row["lease_id"], lease_expires_at=now, **_this_process(now))
        for row in gone.distinct()
    ]
    Pump.objects.bulk_create(runs, ignore_conflicts=True)
    return len(runs)


def in_flight() -> Q:
    """The condition of deliveries that a live run is sending.

    One that was cancelled under way, by a run that then died, keeps that run's lease: it is over.
    """
    live = Pump.objects.live(timezone.now()).values("pk")
    return Q(lease_id__isnull=False) & Q(lease_id__in=live)
