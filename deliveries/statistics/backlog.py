"""How far behind sending is, and whether any worker sends: for probes, metrics and staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min

from deliveries.models import Delivery, Pump

# A run renews its lease every two seconds: after so long without, no worker is alive.
SILENT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Backlog:
    """`last_heartbeat_at` is None while no worker dispatches, `oldest_due_at` while none is due."""

    last_heartbeat_at: datetime | None
    oldest_due_at: datetime | None
    now: datetime

    @property
    def workers_alive(self) -> bool:
        return (
            self.last_heartbeat_at is not None and self.now - self.last_heartbeat_at < SILENT_AFTER
        )

    @property
    def heartbeat_age_seconds(self) -> float | None:
        return _seconds_since(self.last_heartbeat_at, self.now)

    @property
    def oldest_due_seconds(self) -> float:
        return _seconds_since(self.oldest_due_at, self.now) or 0.0


def read_backlog(now: datetime) -> Backlog:
    """Two indexed look-ups, whatever the size of the tables."""
    heartbeat = Pump.objects.aggregate(at=Max("heartbeat_at"))["at"]
    oldest = Delivery.objects.due(now).aggregate(at=Min("next_attempt_at"))["at"]
    return Backlog(heartbeat, oldest, now)


def _seconds_since(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round(max(0.0, (now - moment).total_seconds()), 3)
