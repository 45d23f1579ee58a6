"""What can be done with deliveries, one by one and several at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from subscriptions.models import AuditEntry
from tests.deliveries.views.pages import create_delivery, set_state, url
from tests.portal_clients import HTMX, Portal


def test_a_failed_delivery_is_resent_without_javascript(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = set_state(create_delivery(portal.live), status="failed", next_attempt_at=None)
    response = portal.client("developer").post(
        url(portal, "delivery-resend", delivery.public_id), follow=True
    )
    assert "Queued: license.created is sent to Mails again now." in response.content.decode()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.trigger) == ("pending", "resend")
    entry = AuditEntry.objects.get(action="delivery.resend")
    assert entry.actor == portal.users["developer"]


def test_a_row_is_resent_in_place_with_htmx(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = set_state(create_delivery(portal.live), status="failed", next_attempt_at=None)
    response = portal.client("developer").post(
        url(portal, "delivery-resend", delivery.public_id), {"row": "1"}, headers=HTMX
    )
    text = response.content.decode()
    assert f'id="row-{delivery.public_id}"' in text
    assert "Pending" in text
    assert 'hx-swap-oob="true"' in text


def test_a_refused_action_says_why_and_changes_nothing(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = set_state(create_delivery(portal.live), status="delivered", next_attempt_at=None)
    client = portal.client("developer")
    for view in ("delivery-cancel", "delivery-retry-now"):
        response = client.post(url(portal, view, delivery.public_id), follow=True)
        assert 'class="note bad"' in response.content.decode()
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


def test_stopping_retries_asks_first(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = create_delivery(portal.live)
    address = url(portal, "delivery-cancel", delivery.public_id)
    client = portal.client("developer")
    page = client.get(address).content.decode()
    assert f'action="{address}"' in page
    assert "No more attempts are made" in page
    assert "<html" not in client.get(address, headers=HTMX).content.decode()
    client.post(address)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.status_reason) == (
        "cancelled",
        "Stopped by developer@example.com",
    )


def test_the_planned_retry_is_made_now(portal: Portal) -> None:
    portal.add_endpoint()
    later = timezone.now() + timedelta(hours=1)
    delivery = set_state(create_delivery(portal.live), next_attempt_at=later, attempt_count=1)
    portal.client("developer").post(url(portal, "delivery-retry-now", delivery.public_id))
    delivery.refresh_from_db()
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at < later


@pytest.mark.parametrize(("action", "status"), [("resend", "pending"), ("cancel", "cancelled")])
def test_several_deliveries_are_changed_after_a_question(
    portal: Portal, action: str, status: str
) -> None:
    portal.add_endpoint()
    portal.add_endpoint(portal.foreign)
    mine = [create_delivery(portal.live, n=n) for n in range(2)]
    foreign = create_delivery(portal.foreign)
    chosen = {"action": action, "delivery": [d.public_id for d in [*mine, foreign]]}
    client = portal.client("developer")
    question = client.post(url(portal, "delivery-bulk"), chosen)
    assert "2 deliveries?" in question.content.decode()
    assert all(set_state(d).trigger == "publish" for d in mine)
    done = client.post(url(portal, "delivery-bulk"), chosen | {"confirmed": "1"}, follow=True)
    assert "2 of 2 deliveries" in done.content.decode()
    assert {set_state(d).status for d in mine} == {status}
    assert (set_state(foreign).status, foreign.trigger) == ("pending", "publish")


def test_choosing_none_changes_nothing_and_says_so(portal: Portal) -> None:
    response = portal.client("developer").post(
        url(portal, "delivery-bulk"), {"action": "resend"}, follow=True
    )
    assert "choose at least one delivery" in response.content.decode()
