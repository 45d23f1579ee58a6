from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.dispatch.retry_schedule import next_attempt, parse_retry_after
from subscriptions.platforms.rules import PlatformRules, SignatureRules

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = 60
CLAWGET = [60, 300, 900, 3600, 21600]
CLEVERPUSH = [2 * MINUTE * 2**n for n in range(8)]
CRYPTLEX = [300] * 5


def rules(delays: Sequence[float], max_requests: int | None = None) -> PlatformRules:
    return PlatformRules(
        name="any",
        title="Any",
        body=(("topic", "topic"), ("data", "data")),
        content_type="application/json",
        signature=SignatureRules("none", "", "none", "whsec", ()),
        success_codes=None,
        timeout_seconds=15,
        retry_delays=tuple(timedelta(seconds=delay) for delay in delays),
        max_requests=len(delays) + 1 if max_requests is None else max_requests,
        suspend_after_failures=None,
        max_endpoints=None,
        https_required=False,
    )


def requests_made(platform: PlatformRules, duration: timedelta) -> list[float]:
    """Seconds after the first request's start at which each starts, if all take `duration`."""
    starts = [NOW]
    while due := next_attempt(
        rules=platform, scheduled_count=len(starts), ended_at=starts[-1] + duration
    ):
        starts.append(due)
    return [(start - NOW).total_seconds() for start in starts]


@pytest.mark.parametrize(
    ("delays", "starts"),
    [
        (CLAWGET, [0, 60, 360, 1260, 4860, 26460]),
        (CRYPTLEX, [0, 300, 600, 900, 1200, 1500]),
        (CLEVERPUSH, [MINUTE * m for m in (0, 2, 6, 14, 30, 62, 126, 254, 510)]),
    ],
)
def test_the_platforms_schedules_run_to_their_end(delays: list[float], starts: list[float]) -> None:
    assert requests_made(rules(delays), timedelta(0)) == starts


def test_delays_count_from_the_end_of_the_attempt_before() -> None:
    assert requests_made(rules([60, 300]), timedelta(seconds=5)) == [0, 65, 370]


def test_the_strict_reading_of_clawgets_total_stops_after_five_requests() -> None:
    assert requests_made(rules(CLAWGET, max_requests=5), timedelta(0)) == [0, 60, 360, 1260, 4860]
    assert requests_made(rules(CLAWGET, max_requests=1), timedelta(0)) == [0]


@pytest.mark.parametrize("count", [6, 7, 100])
def test_nothing_is_due_once_all_requests_are_made(count: int) -> None:
    soon = NOW + timedelta(seconds=1)
    due = next_attempt(rules=rules(CLAWGET), scheduled_count=count, ended_at=NOW, retry_after=soon)
    assert due is None


@pytest.mark.parametrize("count", [0, -1])
def test_the_request_just_made_must_be_counted(count: int) -> None:
    with pytest.raises(ValueError, match="leaves out the request just made"):
        next_attempt(rules=rules(CLAWGET), scheduled_count=count, ended_at=NOW)


@pytest.mark.parametrize(
    ("retry_after", "due"),
    [
        (timedelta(seconds=-5), timedelta(seconds=60)),
        (timedelta(seconds=59), timedelta(seconds=60)),
        (timedelta(seconds=61), timedelta(seconds=61)),
        (timedelta(hours=24), timedelta(hours=24)),
        (timedelta(days=300), timedelta(hours=24)),
    ],
)
def test_retry_after_only_postpones_and_by_a_day_at_most(
    retry_after: timedelta, due: timedelta
) -> None:
    made = next_attempt(
        rules=rules(CLAWGET), scheduled_count=1, ended_at=NOW, retry_after=NOW + retry_after
    )
    assert made == NOW + due


def test_the_cap_never_shortens_a_longer_delay() -> None:
    two_days = timedelta(days=2)
    made = next_attempt(
        rules=rules([two_days.total_seconds()]),
        scheduled_count=1,
        ended_at=NOW,
        retry_after=NOW + timedelta(hours=30),
    )
    assert made == NOW + two_days


@given(
    delays=st.lists(st.integers(1, 10**6), max_size=10),
    count=st.integers(1, 12),
    wait=st.one_of(st.none(), st.integers(-(10**6), 10**7)),
)
def test_no_attempt_is_ever_earlier_than_its_delay(
    delays: list[int], count: int, wait: int | None
) -> None:
    retry_after = None if wait is None else NOW + timedelta(seconds=wait)
    due = next_attempt(
        rules=rules(delays), scheduled_count=count, ended_at=NOW, retry_after=retry_after
    )
    if count > len(delays):
        assert due is None
        return
    delay = timedelta(seconds=delays[count - 1])
    assert due is not None
    assert NOW + delay <= due <= NOW + max(delay, timedelta(hours=24))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120\t", 120),
        ("000120", 120),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120),
        ("Saturday, 21-Nov-26 12:02:00 GMT", 120),
        ("Sat Nov 21 12:02:00 2026", 120),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("9" * 8, 365 * 86400),
        ("9" * 5000, 365 * 86400),
    ],
)
def test_retry_after_is_read_as_seconds_or_an_http_date(value: str, seconds: int) -> None:
    assert parse_retry_after(value, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "soon",
        "-1",
        "+5",
        "1.5",
        "1e3",
        "٣",
        "²",
        "120 seconds",
        "1,2",
        "2026-11-21T12:02:00Z",
        "Sat, 99 Nov 2026 12:02:00 GMT",
        "Sat, 21 Nov 2026 12:02:00 +0200",
        "\x00",
    ],
)
def test_any_other_retry_after_is_ignored(value: str) -> None:
    assert parse_retry_after(value, NOW) is None


@given(value=st.text())
def test_no_retry_after_raises(value: str) -> None:
    due = parse_retry_after(value, NOW)
    assert due is None or due >= NOW
