"""The timeline of a delivery: the attempts made, the one in flight, and those planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deliveries.diagnosis import failure_name
from deliveries.models import Attempt, Delivery, DeliveryStatus, Outcome, Trigger
from subscriptions.platforms.rules import PlatformRules

_BY_HAND = {Trigger.TEST, Trigger.RESEND}
# The icon and the word for each state of a step.
_STATES = {
    "succeeded": ("circle-check", "accepted"),
    "failed": ("circle-x", "failed"),
    "unknown": ("circle-help", "outcome unknown"),
    "sending": ("refresh-cw", "in flight"),
    "due": ("hourglass", "queued"),
    "planned": ("circle-dashed", "planned"),
}


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One attempt, made or to come.

    state: a key of _STATES. at: when it was sent, or when it is due. is_estimate: it is made only if
    the one before fails, and `at` is not exact. attempt: None if it is still to come.
    """

    state: str
    title: str
    at: datetime
    detail: str = ""
    is_estimate: bool = False
    attempt: Attempt | None = None

    @property
    def icon(self) -> str:
        return _STATES[self.state][0]

    @property
    def words(self) -> str:
        """`failed · HTTP 500`: the state, and what is known beyond it."""
        word = "if the one before fails" if self.is_estimate else _STATES[self.state][1]
        return f"{word} · {self.detail}" if self.detail else word


def build_timeline(
    delivery: Delivery, attempts: Sequence[Attempt], rules: PlatformRules, now: datetime
) -> list[TimelineStep]:
    """All steps, oldest first. `attempts` by number; `rules` are the platform's."""
    return [*list_past_steps(delivery, attempts), *_list_planned_steps(delivery, rules, now)]


def list_past_steps(delivery: Delivery, attempts: Sequence[Attempt]) -> list[TimelineStep]:
    """A step for each attempt, in their order."""
    steps = []
    scheduled = 0
    for attempt in attempts:
        title = _name_step(attempt.trigger, scheduled + 1, delivery.max_attempts)
        # An attempt whose outcome is unknown is made again outside the schedule.
        if attempt.trigger not in _BY_HAND and attempt.outcome != Outcome.UNKNOWN:
            scheduled += 1
        detail = _describe_result(attempt)
        steps.append(TimelineStep(attempt.outcome, title, attempt.sent_at, detail, attempt=attempt))
    return steps


def _name_step(trigger: str, number: int, max_attempts: int) -> str:
    """`First attempt`, `Retry 2 of 5`; what it is if a person asked for it.

    number: from 1, among the attempts that the schedule counts.
    """
    if trigger == Trigger.TEST:
        return "Test request"
    if trigger == Trigger.RESEND:
        return "Resent by hand"
    if number <= 1:
        return "Replayed" if trigger == Trigger.REPLAY else "First attempt"
    return f"Retry {number - 1} of {max_attempts - 1}"


def _describe_result(attempt: Attempt) -> str:
    if attempt.status_code is not None:
        return f"HTTP {attempt.status_code}"
    return failure_name(attempt.failure) if attempt.failure else ""


def _list_planned_steps(
    delivery: Delivery, rules: PlatformRules, now: datetime
) -> list[TimelineStep]:
    """The steps still to come; none once the delivery has come to an end."""
    if delivery.status != DeliveryStatus.PENDING or delivery.next_attempt_at is None:
        return []
    count = delivery.scheduled_count
    title = _name_step(delivery.trigger, count + 1, delivery.max_attempts)
    at = delivery.next_attempt_at
    state = "sending" if delivery.is_in_flight else "due" if at <= now else "planned"
    steps = [TimelineStep(state, title, at)]
    if delivery.trigger in _BY_HAND:
        if delivery.planned_at is None:
            return steps
        at = delivery.planned_at
        steps.append(
            TimelineStep("planned", _name_step(Trigger.RETRY, count + 1, delivery.max_attempts), at)
        )
    return steps + _list_retries_after(
        count + 1, max(at, now), delivery.max_attempts, rules.retry_delays
    )


def _list_retries_after(
    last: int, at: datetime, max_attempts: int, delays: Sequence[timedelta]
) -> list[TimelineStep]:
    """The retries after attempt number `last`, which is due at `at`, if each of them fails.

    A delay runs from the end of an attempt, which is taken for its start.
    """
    steps = []
    for number in range(last + 1, min(max_attempts, len(delays) + 1) + 1):
        at += delays[number - 2]
        title = _name_step(Trigger.RETRY, number, max_attempts)
        steps.append(TimelineStep("planned", title, at, is_estimate=True))
    return steps


def count_retries(delivery: Delivery) -> int:
    """How many retries of the schedule were made."""
    return max(0, delivery.scheduled_count - 1)
