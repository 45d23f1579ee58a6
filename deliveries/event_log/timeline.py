"""A delivery as a ladder: what was done, what is under way, what is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deliveries.diagnosis.failure import failure_name
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
class Step:
    """`state` is succeeded, failed, unknown, sending, due or planned. `about`: an estimate.

    `at` is when it was sent, or when it is due.
    """

    state: str
    title: str
    at: datetime
    detail: str = ""
    about: bool = False
    attempt: Attempt | None = None

    @property
    def icon(self) -> str:
        return _STATES[self.state][0]

    @property
    def words(self) -> str:
        """`failed · HTTP 500`: the state, and what is known beyond it."""
        word = "if the one before fails" if self.about else _STATES[self.state][1]
        return f"{word} · {self.detail}" if self.detail else word


def ladder(
    delivery: Delivery, attempts: Sequence[Attempt], rules: PlatformRules, now: datetime
) -> list[Step]:
    """All steps, oldest first. `attempts` by number; `rules` are the platform's."""
    return [*done(delivery, attempts), *planned(delivery, rules, now)]


def done(delivery: Delivery, attempts: Sequence[Attempt]) -> list[Step]:
    steps = []
    requests = 0
    for attempt in attempts:
        title = step_title(attempt.trigger, requests + 1, delivery.max_attempts)
        # One whose outcome is unknown is made again outside the schedule.
        if attempt.trigger not in _BY_HAND and attempt.outcome != Outcome.UNKNOWN:
            requests += 1
        steps.append(Step(attempt.outcome, title, attempt.sent_at, _said(attempt), attempt=attempt))
    return steps


def step_title(trigger: str, request_number: int, max_requests: int) -> str:
    """`First request`, `Retry 2 of 5`; by hand: what it was."""
    if trigger == Trigger.TEST:
        return "Test request"
    if trigger == Trigger.RESEND:
        return "Resent by hand"
    if request_number <= 1:
        return "Replayed" if trigger == Trigger.REPLAY else "First request"
    return f"Retry {request_number - 1} of {max_requests - 1}"


def _said(attempt: Attempt) -> str:
    if attempt.status_code is not None:
        return f"HTTP {attempt.status_code}"
    return failure_name(attempt.failure) if attempt.failure else ""


def planned(delivery: Delivery, rules: PlatformRules, now: datetime) -> list[Step]:
    """What is still to come; nothing once the delivery has come to an end."""
    if delivery.status != DeliveryStatus.PENDING or delivery.next_attempt_at is None:
        return []
    count = delivery.scheduled_count
    title = step_title(delivery.trigger, count + 1, delivery.max_attempts)
    at = delivery.next_attempt_at
    state = "sending" if delivery.is_in_flight else "due" if at <= now else "planned"
    steps = [Step(state, title, at)]
    if delivery.trigger in _BY_HAND:
        if delivery.planned_at is None:
            return steps
        at = delivery.planned_at
        steps.append(
            Step("planned", step_title(Trigger.RETRY, count + 1, delivery.max_attempts), at)
        )
    return steps + _later(count + 1, max(at, now), delivery.max_attempts, rules.retry_delays)


def _later(
    requests: int, at: datetime, max_requests: int, delays: Sequence[timedelta]
) -> list[Step]:
    """The retries after request `requests`, should each fail; delays run from each one's end."""
    steps = []
    for number in range(requests + 1, min(max_requests, len(delays) + 1) + 1):
        at += delays[number - 2]
        title = step_title(Trigger.RETRY, number, max_requests)
        steps.append(Step("planned", title, at, about=True))
    return steps


def retries_made(delivery: Delivery) -> int:
    return max(0, delivery.scheduled_count - 1)
