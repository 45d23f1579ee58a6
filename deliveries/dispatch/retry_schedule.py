"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.http import parse_http_date_safe

from subscriptions.platforms.rules import PlatformRules

MAX_RETRY_AFTER = timedelta(hours=24)
MAX_WAIT = timedelta(days=365)


def next_attempt(
    *,
    rules: PlatformRules,
    scheduled_count: int,
    ended_at: datetime,
    retry_after: datetime | None = None,
) -> datetime | None:
    """When the next automatic request is due, or None when none is left.

    `scheduled_count` is the number of automatic requests already made, 1 after the first;
    `ended_at` is the end of the last one, from which the platform's delay counts. A receiver's
    `retry_after` can only postpone, by at most 24 hours.
    """
    if scheduled_count < 1:
        raise ValueError(f"scheduled_count {scheduled_count} leaves out the request just made")
    if scheduled_count >= rules.max_requests:
        return None
    planned = ended_at + rules.retry_delays[scheduled_count - 1]
    if retry_after is None:
        return planned
    return max(planned, min(retry_after, ended_at + MAX_RETRY_AFTER))


def parse_retry_after(value: str, now: datetime) -> datetime | None:
    """The moment that a Retry-After header names (RFC 9110, 10.2.3: seconds or an HTTP date).

    None for anything else; a moment that has passed is `now`. Seconds are read up to a year.
    """
    value = value.strip(" \t")
    if value.isascii() and value.isdigit():
        # By length first: int() refuses thousands of digits, and timedelta many fewer.
        digits = value.lstrip("0") or "0"
        wait = timedelta(seconds=int(digits)) if len(digits) < 9 else MAX_WAIT
        return now + min(wait, MAX_WAIT)
    seconds_since_epoch = parse_http_date_safe(value)
    if seconds_since_epoch is None:
        return None
    return max(now, datetime.fromtimestamp(seconds_since_epoch, UTC))
