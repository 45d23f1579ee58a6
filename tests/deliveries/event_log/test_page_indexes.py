"""The log's queries take the index that was made for them, also on SQLite, which has no statistics.

On PostgreSQL a table as small as a test's is read whole, whatever indexes there are.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from deliveries.models import Delivery
from deliveries.recovery.missed_events import _cancelled
from deliveries.statistics.first_steps import _forgeries_refused
from tests.deliveries.views.pages import add_attempt, publish_event
from tests.portal_clients import Portal

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="only on SQLite: about its planner"
)
BY_STATUS = "delivery_page_status (broadcaster_id=? AND status=?"


@pytest.fixture
def delivery(portal: Portal) -> Delivery:
    portal.add_endpoint()
    return publish_event(portal.live).deliveries.get()


def plan(delivery: Delivery, **conditions: Any) -> str:
    """How a page of the broadcaster's deliveries that meet these conditions is read."""
    rows = delivery.broadcaster.deliveries.all()
    return rows.narrowed(**conditions).matching.order_by("-pk").explain()


@pytest.mark.parametrize("status", ["pending", "failed", "cancelled"])
def test_deliveries_that_did_not_arrive_are_found_by_their_status(
    delivery: Delivery, status: str
) -> None:
    assert BY_STATUS in plan(delivery, status=status)
    assert BY_STATUS in plan(delivery, status=status, endpoints=[delivery.endpoint_id])


@pytest.mark.parametrize("status", ["", "delivered"])
def test_deliveries_of_an_endpoint_are_found_by_it_unless_the_status_leaves_less(
    delivery: Delivery, status: str
) -> None:
    found = plan(delivery, endpoints=[delivery.endpoint_id], status=status)
    assert "delivery_page_endpoint (endpoint_id=?" in found
    assert "TEMP B-TREE" not in found


def test_the_deliveries_of_an_event_and_their_attempts_are_found_by_key(delivery: Delivery) -> None:
    assert "id=?" in plan(delivery, events=[delivery.event_id])
    attempt = add_attempt(delivery)
    mine = delivery.broadcaster.attempts.of_deliveries([delivery.pk])
    assert mine.get() == attempt
    assert "id=?" in mine.order_by("-pk").explain()


def test_evidence_of_tests_and_what_a_stop_cancelled_are_found_without_the_whole_log(
    delivery: Delivery,
) -> None:
    assert "delivery_page_test" in _forgeries_refused(delivery.broadcaster).explain()
    assert BY_STATUS in _cancelled(delivery.endpoint, delivery.created_at).explain()
