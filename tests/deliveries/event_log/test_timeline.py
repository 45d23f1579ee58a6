"""The timeline of a delivery: the steps made, in flight and planned, as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from deliveries.event_log.timeline import TimelineStep, build_timeline
from deliveries.models import Attempt, Delivery

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DELAYS = tuple(timedelta(seconds=s) for s in (60, 300, 900, 3_600, 21_600))
RULES: Any = Mock(retry_delays=DELAYS, max_requests=6)


def delivery(**fields: Any) -> Delivery:
    return Delivery(**({"status": "pending", "max_attempts": 6, "trigger": "publish"} | fields))


def attempt(outcome: str, trigger: str = "publish", **fields: Any) -> Attempt:
    return Attempt(outcome=outcome, trigger=trigger, sent_at=NOW, **fields)


def lines(steps: Any) -> list[tuple[str, str]]:
    return [(step.state, step.title) for step in steps]


def test_after_a_failure_all_retries_are_planned_by_the_schedule() -> None:
    due = NOW + timedelta(seconds=60)
    pending = delivery(scheduled_count=1, trigger="retry", next_attempt_at=due)
    steps = build_timeline(pending, [attempt("failed", status_code=500)], RULES, NOW)
    assert lines(steps) == [
        ("failed", "First attempt"),
        *(("planned", f"Retry {n} of 5") for n in range(1, 6)),
    ]
    assert steps[0].detail == "HTTP 500"
    assert [step.at - due for step in steps[1:]] == [
        timedelta(seconds=s) for s in (0, 300, 1_200, 4_800, 26_400)
    ]
    assert [step.is_estimate for step in steps[1:]] == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("lease_id", "due", "state"),
    [(None, NOW, "due"), (7, NOW, "sending"), (None, NOW + timedelta(seconds=1), "planned")],
)
def test_the_next_step_says_whether_it_is_planned_due_or_in_flight(
    lease_id: int | None, due: datetime, state: str
) -> None:
    pending = delivery(next_attempt_at=due, lease_id=lease_id)
    assert lines(build_timeline(pending, [], RULES, NOW))[0] == (state, "First attempt")


def test_a_resend_goes_before_the_planned_retry_and_counts_as_none() -> None:
    planned = NOW + timedelta(hours=1)
    pending = delivery(scheduled_count=5, trigger="resend", next_attempt_at=NOW, planned_at=planned)
    attempts = [attempt("failed", "retry" if n else "publish") for n in range(5)]
    steps = lines(build_timeline(pending, attempts, RULES, NOW))
    assert steps[-3:] == [
        ("failed", "Retry 4 of 5"),
        ("due", "Resent by hand"),
        ("planned", "Retry 5 of 5"),
    ]


def test_an_attempt_cut_short_is_made_again_under_the_same_name() -> None:
    attempts = [attempt("unknown"), attempt("failed", "retry"), attempt("succeeded", "retry")]
    ended = delivery(status="delivered", scheduled_count=2)
    assert lines(build_timeline(ended, attempts, RULES, NOW)) == [
        ("unknown", "First attempt"),
        ("failed", "First attempt"),
        ("succeeded", "Retry 1 of 5"),
    ]


def test_a_test_has_one_step() -> None:
    pending = delivery(trigger="test", max_attempts=1, next_attempt_at=NOW)
    assert lines(build_timeline(pending, [], RULES, NOW)) == [("due", "Test request")]


def test_nothing_is_planned_after_the_end() -> None:
    assert build_timeline(delivery(status="cancelled"), [], RULES, NOW) == []


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        ("succeeded", {"detail": "HTTP 200"}, "accepted · HTTP 200"),
        ("failed", {"detail": "HTTP 500"}, "failed · HTTP 500"),
        ("unknown", {}, "outcome unknown"),
        ("sending", {}, "in flight"),
        ("due", {}, "queued"),
        ("planned", {}, "planned"),
        ("planned", {"is_estimate": True}, "if the one before fails"),
    ],
)
def test_each_state_of_a_step_has_its_words(state: str, more: dict[str, Any], words: str) -> None:
    assert TimelineStep(state, "Retry 1 of 5", NOW, **more).words == words


def test_each_state_of_a_step_has_an_icon_of_its_own() -> None:
    states = ("succeeded", "failed", "unknown", "sending", "due", "planned")
    assert len({TimelineStep(state, "Retry 1 of 5", NOW).icon for state in states}) == len(states)
