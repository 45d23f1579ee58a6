"""Publish rates of broadcasters, kept exactly over all web processes.

Each event takes 1/rate of a second; `paid_until` is where the events let in so far end, one after
the other. Another is let in while that is at most a second ahead: over t seconds no more than
rate x (t + 1) events and one request's. A batch is let in whole, and what follows waits for it.
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

AHEAD_SECONDS = 1.0
# One statement, so that no two processes let in the same event's share; none waits for another
# longer than this takes.
_PAY = """
INSERT INTO deliveries_publishrate AS r (broadcaster_id, paid_until)
VALUES (%(broadcaster)s, %(now)s + %(cost)s)
ON CONFLICT (broadcaster_id) DO UPDATE SET paid_until =
    CASE WHEN r.paid_until > %(now)s THEN r.paid_until ELSE %(now)s END + %(cost)s
WHERE r.paid_until <= %(now)s + %(ahead)s
RETURNING paid_until
"""


@contextmanager
def within_rate(broadcaster: Broadcaster, count: int) -> Iterator[None]:
    """Publish `count` events in the block, or raise RateExceeded before it.

    What the block refuses is paid for all the same. Without a rate nothing is asked.
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
    """Take the share of `count` events. Raises RateExceeded, and takes nothing."""
    seconds = now.timestamp()
    values = {
        "broadcaster": broadcaster.pk,
        "now": seconds,
        "cost": count / rate,
        "ahead": AHEAD_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAY, values)
        if cursor.fetchone():
            return
    found = PublishRate.objects.filter(pk=broadcaster.pk).values_list("paid_until", flat=True)
    wait_seconds = max(1, math.ceil((found.first() or seconds) - AHEAD_SECONDS - seconds))
    raise RateExceeded(
        f"{broadcaster.name} may publish {rate:,} events a second and is ahead of that: send again "
        f"in {wait_seconds:,} {'second' if wait_seconds == 1 else 'seconds'}. Nothing of this "
        "request was stored.",
        code="publish_rate_exceeded",
        retry_after_seconds=wait_seconds,
    )
