"""The tags of the event log."""

from __future__ import annotations

from typing import Any

import pytest

from deliveries.models import Delivery
from deliveries.templatetags.event_log import delivery_badge


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": "pending", "lease_id": 7}, "Sending"),
        ({"status": "pending"}, "Queued"),
        ({"status": "delivered"}, "Delivered"),
        ({"status": "failed"}, "Failed"),
    ],
)
def test_the_badge_of_a_delivery_shows_an_attempt_in_flight(
    fields: dict[str, Any], word: str
) -> None:
    assert f"</svg>{word}</span>" in delivery_badge(Delivery(**fields), "Queued")


def test_a_pending_delivery_is_called_so_unless_another_word_is_given() -> None:
    assert "</svg>Pending</span>" in delivery_badge(Delivery(status="pending"))
