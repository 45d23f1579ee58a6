"""The log's queries take the index that was made for them, also on SQLite, which has no statistics.

On PostgreSQL a table as small as a test's is read whole, whatever indexes there are.
"""

from __future__ import annotations

import pytest
from django.db import connection

from deliveries.models import Attempt, Delivery
from deliveries.recovery.missed_events import _cancelled
from deliveries.statistics.first_steps import _forgeries_refused
from tests.deliveries.views.pages import published
from tests.portal_clients import Portal

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="only on SQLite: about its planner"
)


@pytest.fixture
def delivery(portal: Portal) -> Delivery:
    portal.add_endpoint()
    return published(portal.live).deliveries.get()


@pytest.mark.parametrize("status", ["pending", "failed", "cancelled"])
def test_what_is_not_delivered_is_found_by_its_status(delivery: Delivery, status: str) -> None:
    rows = Delivery.objects.for_broadcaster(delivery.broadcaster).in_state(status)
    assert "delivery_page_status (broadcaster_id=? AND status=?" in rows.order_by("-pk").explain()


def test_the_deliveries_of_an_event_and_their_attempts_are_found_by_key(delivery: Delivery) -> None:
    of_event = Delivery.objects.for_broadcaster(delivery.broadcaster).of_events([delivery.event_id])
    assert of_event.get() == delivery
    assert "id=?" in of_event.order_by("-pk").explain()
    mine = Attempt.objects.for_broadcaster(delivery.broadcaster)
    made = Attempt.objects.create(
        delivery=delivery, broadcaster=delivery.broadcaster, endpoint=delivery.endpoint, number=1,
        topic=delivery.topic, trigger="publish", outcome="succeeded", sent_at=delivery.created_at,
        request_url=delivery.endpoint.url,
    )  # fmt: skip
    assert mine.of_deliveries([delivery.pk]).get() == made
    assert "id=?" in mine.of_deliveries([delivery.pk]).order_by("-pk").explain()


def test_evidence_of_tests_and_what_a_stop_cancelled_are_found_without_the_whole_log(
    delivery: Delivery,
) -> None:
    assert "delivery_page_test" in _forgeries_refused(delivery.broadcaster).explain()
    stopped = _cancelled(delivery.endpoint, delivery.created_at)
    assert "delivery_page_status (broadcaster_id=? AND status=?" in stopped.explain()
