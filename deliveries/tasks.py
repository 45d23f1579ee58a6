"""The tasks of django-q2. Names and arguments stay as they are: queues and schedules hold them."""

from __future__ import annotations

from deliveries.workers.pump import adopt_orphans, run_pump
from deliveries.workers.wake import queue_missing_pumps


def pump(slot: int) -> str:
    """Dispatch for a time box, then queue a successor. Returns words for the log."""
    return run_pump(slot)


def ensure_pumps() -> None:
    """Queue a pump for each slot that no live run holds. Scheduled each minute."""
    queue_missing_pumps()


def find_orphans() -> None:
    """Recover deliveries whose lease belongs to no known run. Scheduled each hour."""
    adopt_orphans()
