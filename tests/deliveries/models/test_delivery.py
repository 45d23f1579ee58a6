"""Narrowing deliveries: whatever index serves a set of conditions, the same rows are left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deliveries.models import Delivery
from tests.deliveries.views.pages import publish_event, set_state
from tests.portal_clients import Portal

STATUSES = ("pending", "delivered", "failed", "cancelled")


@pytest.fixture
def deliveries(portal: Portal) -> list[Delivery]:
    """Four events to two webhooks each: every status once at each webhook."""
    for name in ("A", "B"):
        portal.add_endpoint(name=name, url=f"https://example.com/{name}")
    for status in STATUSES:
        event = publish_event(portal.live, event=status)
        for delivery in event.deliveries.all():
            set_state(delivery, status=status, test=status == "failed")
    return list(portal.live.deliveries.select_related("event", "endpoint"))


@pytest.mark.parametrize("status", [None, *STATUSES])
@pytest.mark.parametrize("with_endpoint", [False, True])
def test_a_status_and_an_endpoint_leave_the_rows_that_have_both(
    deliveries: list[Delivery], status: str | None, with_endpoint: bool
) -> None:
    first = deliveries[0]
    endpoints = [first.endpoint_id] if with_endpoint else None
    narrowed = first.broadcaster.deliveries.narrowed(status=status, endpoints=endpoints)
    expected = {
        d.pk
        for d in deliveries
        if status in (None, d.status) and (endpoints is None or d.endpoint_id in endpoints)
    }
    assert {d.pk for d in narrowed.matching} == expected


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        (lambda d: {"search": d.public_id}, lambda d, other: other == d),
        (lambda d: {"search": d.event.event_id}, lambda d, other: other.event_id == d.event_id),
        (
            lambda d: {"search": d.endpoint.public_id},
            lambda d, other: other.endpoint_id == d.endpoint_id,
        ),
        (lambda d: {"events": [d.event_id]}, lambda d, other: other.event_id == d.event_id),
        (lambda d: {"search": f'"{d.status}"'}, lambda d, other: other.status == d.status),
        (lambda d: {"test": True}, lambda d, other: other.status == "failed"),
        (lambda d: {"test": None, "topic": None}, lambda d, other: True),
        (lambda d: {"endpoints": []}, lambda d, other: False),
    ],
)
def test_each_condition_leaves_the_rows_that_meet_it(
    deliveries: list[Delivery],
    conditions: Callable[[Delivery], dict[str, Any]],
    matches: Callable[[Delivery, Delivery], bool],
) -> None:
    first = deliveries[0]
    narrowed = first.broadcaster.deliveries.narrowed(**conditions(first))
    expected = {other.pk for other in deliveries if matches(first, other)}
    assert {d.pk for d in narrowed.matching} == expected


def test_only_a_search_in_texts_counts_as_one(deliveries: list[Delivery]) -> None:
    rows = deliveries[0].broadcaster.deliveries
    assert rows.narrowed(search="needle").scans_text
    assert not rows.narrowed(search=deliveries[0].public_id).scans_text
    assert not rows.narrowed(topic="license.created").scans_text
