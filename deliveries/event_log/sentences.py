"""What the pages of the event log say of a delivery: how far it has come, and what is next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deliveries.event_log.timeline import count_retries
from deliveries.models import Delivery, DeliveryStatus


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words around at most one moment, which a page shows relative to now: `in 5 minutes`."""

    before: str
    moment: datetime | None = None
    after: str = ""


def describe_state(delivery: Delivery, now: datetime, *, waiting_for: str = "") -> Sentence:
    """Say how far a delivery has come. `waiting_for` names the limit that keeps a due one back."""
    if delivery.status == DeliveryStatus.PENDING:
        return _describe_pending(delivery, now, waiting_for)
    reason = delivery.status_reason
    if delivery.status != DeliveryStatus.DELIVERED:
        return Sentence(reason)
    end = f", with attempt {delivery.attempt_count}. {reason}".rstrip()
    if delivery.completed_at is None:
        return Sentence(f"Accepted{end}")
    return Sentence("Accepted", delivery.completed_at, end)


def _describe_pending(delivery: Delivery, now: datetime, waiting_for: str) -> Sentence:
    if delivery.test:
        return Sentence(f"The test request is {_word(delivery)}.")
    if delivery.is_in_flight:
        return Sentence("An attempt is in flight.")
    if _is_due(delivery, now):
        if waiting_for:
            return Sentence(f"Due, and waiting. {waiting_for}")
        return Sentence("Queued: the next attempt is made as soon as a worker is free.")
    retries = delivery.max_attempts - 1
    before = f"Retry {count_retries(delivery) + 1} of {retries}" if retries else "Next attempt"
    return Sentence(before, delivery.next_attempt_at, ".")


def describe_next_attempt(delivery: Delivery, now: datetime) -> Sentence | None:
    """`in flight`, `queued`, or `next` with its moment; None if no attempt is to come."""
    if delivery.status != DeliveryStatus.PENDING:
        return None
    if delivery.is_in_flight or _is_due(delivery, now):
        return Sentence(_word(delivery))
    return Sentence("next", delivery.next_attempt_at)


def describe_attempt_count(delivery: Delivery) -> str:
    """`2 of 6`; the number alone once resends have made more than the schedule has."""
    if delivery.attempt_count > delivery.max_attempts:
        return str(delivery.attempt_count)
    return f"{delivery.attempt_count} of {delivery.max_attempts}"


def _word(delivery: Delivery) -> str:
    return "in flight" if delivery.is_in_flight else "queued"


def _is_due(delivery: Delivery, now: datetime) -> bool:
    return delivery.next_attempt_at is not None and delivery.next_attempt_at <= now
