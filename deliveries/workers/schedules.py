"""What stands in django-q2's schedules and queue when the workers start."""

from __future__ import annotations

from django.conf import settings
from django_q.models import Schedule

from deliveries.workers.wake import queue_pump


def ensure_schedules() -> None:
    """The safety net: even if every wake-up were lost, whatever is due is found within a minute."""
    Schedule.objects.update_or_create(
        name="keep pumps alive",
        defaults={
            "func": "deliveries.tasks.ensure_pumps",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
        },
    )
    Schedule.objects.update_or_create(
        name="find orphans",
        defaults={
            "func": "deliveries.tasks.find_orphans",
            "schedule_type": Schedule.HOURLY,
        },
    )


def start_pumps() -> None:
    """Queue a pump for every slot: at the start, a killed run's lease may still look alive."""
    for slot in range(1, settings.WEBHOOKS_PUMPS + 1):
        queue_pump(slot)
