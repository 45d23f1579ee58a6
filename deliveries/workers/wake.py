"""Wakes the workers after a publish: makes sure that pumps exist. A live pump polls by itself.

A process looks at the pumps' leases at most once a second, so that a thousand publishes in a second
cost one query and no task.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_q.tasks import async_task, queue_size

from deliveries.models import Pump

logger = logging.getLogger(__name__)
_CHECK_EVERY_SECONDS = 1.0
_MAX_QUEUED_PER_PUMP = 4
_next_check_at = 0.0


def wake_on_commit() -> None:
    """After the transaction's commit, queue a pump for each slot that has none."""
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    global _next_check_at
    if time.monotonic() < _next_check_at:
        return
    _next_check_at = time.monotonic() + _CHECK_EVERY_SECONDS
    try:
        # If no worker takes them, tasks would pile up and delay the workers later.
        if queue_size() < _MAX_QUEUED_PER_PUMP * settings.WEBHOOKS_PUMPS:
            queue_missing_pumps()
    except DatabaseError:
        # The event is stored, and the schedule finds it within a minute.
        logger.exception("could not queue a pump")


def queue_missing_pumps() -> int:
    """Queue a pump for each slot that no live run holds; return how many were queued."""
    held = set(Pump.objects.live(timezone.now()).values_list("slot", flat=True))
    missing = [slot for slot in range(1, settings.WEBHOOKS_PUMPS + 1) if slot not in held]
    for slot in missing:
        queue_pump(slot)
    return len(missing)


def queue_pump(slot: int) -> None:
    async_task("deliveries.tasks.pump", slot)
