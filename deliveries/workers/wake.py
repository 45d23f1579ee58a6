"""Wake-ups: see to it that a pump exists. A live pump polls, and needs none.

A look at the pumps' leases is kept for a second in the process, so that a thousand publishes in a
second cost one look, and no task.
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
_LOOK_EVERY_SECONDS = 1.0
_ENOUGH_QUEUED = 4  # tasks for each pump
_next_look = 0.0


def wake_on_commit() -> None:
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    global _next_look
    if time.monotonic() < _next_look:
        return
    _next_look = time.monotonic() + _LOOK_EVERY_SECONDS
    try:
        # With no worker to take them, tasks would pile up, and hold the workers up later.
        if queue_size() < _ENOUGH_QUEUED * settings.WEBHOOKS_PUMPS:
            queue_missing_pumps()
    except DatabaseError:
        # The event is stored; the schedule finds it within a minute.
        logger.exception("could not queue a pump")


def queue_missing_pumps() -> int:
    """Queue a pump task for each slot that no live run holds; returns how many."""
    held = set(Pump.objects.live(timezone.now()).values_list("slot", flat=True))
    missing = [slot for slot in range(1, settings.WEBHOOKS_PUMPS + 1) if slot not in held]
    for slot in missing:
        queue_pump(slot)
    return len(missing)


def queue_pump(slot: int) -> None:
    async_task("deliveries.tasks.pump", slot)
