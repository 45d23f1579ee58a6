"""The publish rates of broadcasters, exact over all web processes.

Each event costs 1/rate of a second; `paid_until` is the moment up to which the events let in so far
have used the time. A request is let in if that moment is at most a second ahead: over t seconds no
more than rate x (t + 1) events and those of one request. A batch is let in whole, and what follows
waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from deliveries.dispatch.store import current_store
from deliveries.models import PublishRate
from subscriptions.errors import RateExceeded
from subscriptions.models import Broadcaster

MAX_LEAD_SECONDS = 1.0
# One statement, so that no two processes pay with the same stretch of time; a process waits for
# another no longer than the statement takes.
_PAY = """
INSERT INTO deliveries_publishrate AS r (broadcaster_id, paid_until)
VALUES (%(broadcaster)s, %(now)s + %(cost)s)
ON CONFLICT (broadcaster_id) DO UPDATE SET paid_until =
    CASE WHEN r.paid_until > %(now)s THEN r.paid_until ELSE %(now)s END + %(cost)s
WHERE r.paid_until <= %(now)s + %(max_lead)s
RETURNING paid_until
"""


@contextmanager
def within_rate(broadcaster: Broadcaster, count: int) -> Iterator[None]:
    """Publish `count` events in the block, or raise RateExceeded before it.

    What the block refuses is paid for all the same. Without a rate the database is not asked.
    """
    rate = broadcaster.publish_limit
    if not rate:
        yield
    elif current_store().is_commit_expensive:
        # One transaction for the payment and the block.
        with transaction.atomic():
            pay(broadcaster, count, rate, timezone.now())
            refusal = None
            try:
                yield
            except Exception as error:
                refusal = error
        if refusal:
            raise refusal
    else:
        pay(broadcaster, count, rate, timezone.now())
        yield


def pay(broadcaster: Broadcaster, count: int, rate: int, now: datetime) -> None:
    """Pay for `count` events at `rate` a second. If it raises RateExceeded, nothing is paid."""
    seconds = now.timestamp()
    values = {
        "broadcaster": broadcaster.pk,
        "now": seconds,
        "cost": count / rate,
        "max_lead": MAX_LEAD_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAY, values)
        if cursor.fetchone():
            return
    found = PublishRate.objects.filter(pk=broadcaster.pk).values_list("paid_until", flat=True)
    wait_seconds = max(1, math.ceil((found.first() or seconds) - MAX_LEAD_SECONDS - seconds))
    raise RateExceeded(
        f"{broadcaster.name} may publish {rate:,} events a second and is ahead of that: send again "
        f"in {wait_seconds:,} {'second' if wait_seconds == 1 else 'seconds'}. Nothing of this "
        "request was stored.",
        code="publish_rate_exceeded",
        retry_after_seconds=wait_seconds,
    )
