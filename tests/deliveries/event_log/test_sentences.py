"""What pages say of a delivery in each of its states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deliveries.event_log.sentences import (
    Sentence,
    describe_attempt_count,
    describe_next_attempt,
    describe_state,
)
from deliveries.models import Delivery

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
IN_FLIGHT = {"lease_id": 7, "next_attempt_at": NOW}


def delivery(**fields: Any) -> Delivery:
    return Delivery(**({"status": "pending", "max_attempts": 6, "next_attempt_at": NOW} | fields))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (IN_FLIGHT, Sentence("An attempt is in flight.")),
        (IN_FLIGHT | {"test": True}, Sentence("The test request is in flight.")),
        ({"test": True}, Sentence("The test request is queued.")),
        ({}, Sentence("Queued: the next attempt is made as soon as a worker is free.")),
        ({"next_attempt_at": LATER, "scheduled_count": 2}, Sentence("Retry 2 of 5", LATER, ".")),
        ({"next_attempt_at": LATER, "max_attempts": 1}, Sentence("Next attempt", LATER, ".")),
        (
            {"status": "delivered", "completed_at": NOW, "attempt_count": 3},
            Sentence("Accepted", NOW, ", with attempt 3."),
        ),
        (
            {"status": "delivered", "attempt_count": 1, "status_reason": "Stopped by Ann."},
            Sentence("Accepted, with attempt 1. Stopped by Ann."),
        ),
        ({"status": "failed", "status_reason": "HTTP 500."}, Sentence("HTTP 500.")),
        ({"status": "cancelled", "status_reason": "Stopped."}, Sentence("Stopped.")),
    ],
)
def test_each_state_of_a_delivery_has_its_sentence(
    fields: dict[str, Any], sentence: Sentence
) -> None:
    assert describe_state(delivery(**fields), NOW) == sentence


def test_the_limit_that_a_due_delivery_waits_for_is_named() -> None:
    said = describe_state(delivery(), NOW, waiting_for="Sending is paused.")
    assert said == Sentence("Due, and waiting. Sending is paused.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (IN_FLIGHT, Sentence("in flight")),
        ({}, Sentence("queued")),
        ({"next_attempt_at": LATER}, Sentence("next", LATER)),
        ({"status": "delivered"}, None),
        ({"status": "failed"}, None),
        ({"status": "cancelled"}, None),
    ],
)
def test_a_row_says_what_is_next_while_a_delivery_is_pending(
    fields: dict[str, Any], sentence: Sentence | None
) -> None:
    assert describe_next_attempt(delivery(**fields), NOW) == sentence


@pytest.mark.parametrize(("count", "words"), [(0, "0 of 6"), (6, "6 of 6"), (7, "7")])
def test_attempts_are_counted_out_of_the_schedule_until_resends_exceed_it(
    count: int, words: str
) -> None:
    assert describe_attempt_count(delivery(attempt_count=count)) == words
