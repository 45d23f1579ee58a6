"""The attempts of a broadcaster over a period: outcomes by step, failure rate, response times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from deliveries.models import EndpointHour
from deliveries.models.stats import DURATION_BOUNDS_MS
from subscriptions.models import Broadcaster, Endpoint

_BUCKETS = tuple(f"ms_{n}" for n in range(len(DURATION_BOUNDS_MS) + 1))
_COUNTS = ("succeeded", "failed", "unknown", "exhausted")


@dataclass(frozen=True, slots=True)
class Period:
    """`steps` steps of length `step`; the present hour is in the last one."""

    name: str
    title: str
    step: timedelta
    steps: int


PERIODS = (
    Period("24h", "24 hours", timedelta(hours=1), 24),
    Period("7d", "7 days", timedelta(hours=6), 28),
    Period("30d", "30 days", timedelta(days=1), 30),
)


@dataclass(slots=True)
class OutcomeCounts:
    """How the attempts of a step that begins at `start` ended.

    delivered: accepted. retried: failed, and made again. given_up: failed for the last time.
    unknown: cut short on our side.
    """

    start: datetime
    delivered: int = 0
    retried: int = 0
    given_up: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.delivered + self.retried + self.given_up + self.unknown

    def add(self, succeeded: int, failed: int, unknown: int, exhausted: int) -> None:
        # A delivery whose last attempt was cut short is exhausted, but its attempt is not failed.
        given_up = min(exhausted, failed)
        self.delivered += succeeded
        self.given_up += given_up
        self.retried += failed - given_up
        self.unknown += unknown


@dataclass(frozen=True, slots=True)
class Traffic:
    """Response times are estimates from a histogram; None if there was no response."""

    steps: Sequence[OutcomeCounts]
    whole: OutcomeCounts
    p50_ms: float | None
    p95_ms: float | None

    @property
    def failure_percent(self) -> float | None:
        """The share of failures among the attempts whose outcome is known; None if there are none."""
        known = self.whole.total - self.whole.unknown
        return 100.0 * (self.whole.retried + self.whole.given_up) / known if known else None


def find_period(name: str) -> Period:
    """The period of this name; the first one if there is none."""
    return next((period for period in PERIODS if period.name == name), PERIODS[0])


def read_traffic(
    broadcaster: Broadcaster, period: Period, now: datetime, *, endpoint: Endpoint | None = None
) -> Traffic:
    """The traffic of all endpoints or of one, in one query of hourly counters, which leave tests out."""
    start = _start(period, now)
    hours = EndpointHour.objects.filter(broadcaster=broadcaster, hour__gte=start)
    if endpoint is not None:
        hours = hours.filter(endpoint=endpoint)
    sums = {name: Sum(name) for name in (*_COUNTS, *_BUCKETS)}
    steps = [OutcomeCounts(start + n * period.step) for n in range(period.steps)]
    whole = OutcomeCounts(start)
    histogram = [0] * len(_BUCKETS)
    names = ("hour", *_COUNTS, *_BUCKETS)
    for values in hours.values("hour").order_by("hour").annotate(**sums).values_list(*names):
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        counts = [row[name] for name in _COUNTS]
        position = (row["hour"] - start) // period.step
        if 0 <= position < len(steps):
            steps[position].add(*counts)
        whole.add(*counts)
        histogram = [a + row[name] for a, name in zip(histogram, _BUCKETS, strict=True)]
    return Traffic(steps, whole, percentile(histogram, 0.5), percentile(histogram, 0.95))


def _start(period: Period, now: datetime) -> datetime:
    hour = now.replace(minute=0, second=0, microsecond=0)
    if period.step >= timedelta(days=1):
        hour = hour.replace(hour=0)
    return hour - (period.steps - 1) * period.step


def percentile(histogram: Iterable[int], share: float) -> float | None:
    """Milliseconds that this share of the responses took at most, even within a bucket.

    The last bucket has no upper bound: there the answer is its lower one.
    """
    counts = list(histogram)
    wanted = share * sum(counts)
    if not wanted:
        return None
    seen = 0
    for count, low, high in zip(
        counts, (0, *DURATION_BOUNDS_MS), (*DURATION_BOUNDS_MS, None), strict=True
    ):
        if count and seen + count >= wanted:
            return float(low if high is None else low + (high - low) * (wanted - seen) / count)
        seen += count
    return None
