"""Pump runs: the leases of the workers that dispatch."""

from __future__ import annotations

from datetime import datetime

from django.db import models


class PumpQuerySet(models.QuerySet["Pump"]):
    def live(self, now: datetime) -> PumpQuerySet:
        return self.filter(lease_expires_at__gt=now)


class Pump(models.Model):
    """One run of a dispatching pump.

    Its id is the fencing number: it grows, is used by no other run, and stands in `lease_id` of
    each delivery that the run is sending. A run whose lease has expired may write nothing more.
    """

    id = models.BigAutoField(primary_key=True)
    slot = models.PositiveSmallIntegerField(
        null=True, help_text="Which of the WEBHOOKS_PUMPS it is; empty while it only finishes."
    )
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    lease_expires_at = models.DateTimeField()
    sent_count = models.PositiveBigIntegerField(default=0)
    objects = PumpQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            # One run per slot: one that ends gives its slot up, one that is taken over its row.
            models.UniqueConstraint(fields=["slot"], name="one_pump_per_slot")
        ]

    def __str__(self) -> str:
        return f"pump {self.slot} run {self.pk}"
