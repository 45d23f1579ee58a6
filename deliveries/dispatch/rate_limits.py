"""Rate limits of endpoints, exact over all workers.

Each endpoint with a limit has a token bucket that gains `rate_limit` tokens a second and holds a
tenth of a second's worth, at least one: in the first second no more than 1.1 times the limit is
sent, and the limit in each later one. The bucket's row is locked while tokens are taken, so that
two workers cannot spend the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from deliveries.models import EndpointRate

BURST_SECONDS = 0.1


def refill(tokens: float, elapsed: timedelta, limit: int) -> float:
    """The tokens in a bucket after `elapsed`, with `limit` tokens a second."""
    capacity = max(1.0, limit * BURST_SECONDS)
    return min(capacity, tokens + max(0.0, elapsed.total_seconds()) * limit)


def take_tokens(
    wanted: Mapping[int, int], limits: Mapping[int, int], now: datetime
) -> dict[int, int]:
    """Take up to `wanted` tokens of each endpoint; return how many each got, if it got any.

    wanted: requests by endpoint id. limits: requests per second by endpoint id.
    """
    EndpointRate.objects.bulk_create(
        [EndpointRate(endpoint_id=pk, tokens=1.0, filled_at=now) for pk in wanted],
        ignore_conflicts=True,
    )
    granted: dict[int, int] = {}
    with transaction.atomic():
        rows = EndpointRate.objects.select_for_update().filter(pk__in=list(wanted)).order_by("pk")
        for rate in rows:
            tokens = refill(rate.tokens, now - rate.filled_at, limits[rate.pk])
            grant = min(wanted[rate.pk], int(tokens))
            if grant:
                granted[rate.pk] = grant
                # A worker whose clock is behind must not fill the bucket twice.
                later = max(now, rate.filled_at)
                EndpointRate.objects.filter(pk=rate.pk).update(
                    tokens=tokens - grant, filled_at=later
                )
    return granted


def return_tokens(unused: Mapping[int, int]) -> None:
    """Put back tokens taken for deliveries that another worker has claimed meanwhile."""
    for endpoint_id, count in unused.items():
        EndpointRate.objects.filter(pk=endpoint_id).update(tokens=F("tokens") + count)
