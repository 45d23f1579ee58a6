"""The signature debugger in a browser: from a delivery to the line to change."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import ViewportSize, expect

from deliveries.models import Delivery
from deliveries.publishing import publish
from tests.browser.browsing import Browsing
from tests.browser.test_every_page import AXE, RUN_AXE
from tests.deliveries.sending import dispatch
from tests.portal_clients import Portal
from tests.receiver import Receiver

NARROW = ViewportSize(width=360, height=800)
pytestmark = [pytest.mark.browser, pytest.mark.one_database]


@pytest.fixture
def delivery(portal: Portal, receiver: Receiver) -> Delivery:
    """One that was really signed and sent."""
    portal.add_endpoint(name="Shop", url=receiver.url("/shop"), signature="standard")
    event = publish(broadcaster=portal.live, topic="passCreated", data={"passId": "ö/1"}).event
    dispatch()
    return Delivery.objects.get(event=event)


@pytest.mark.parametrize("javascript", [True, False], ids=["with", "without"])
def test_from_a_delivery_to_the_mistake_with_and_without_javascript(
    browsing: Browsing, portal: Portal, delivery: Delivery, receiver: Receiver, javascript: bool
) -> None:
    received = receiver.requests[0]
    page = browsing.page_of(portal, "viewer", java_script_enabled=javascript, viewport=NARROW)
    page.goto(f"/b/{portal.live.pk}/deliveries/{delivery.public_id}/")
    page.get_by_role("link", name="Debug its signature").click()
    expect(page.get_by_role("heading", level=1, name="Signature debugger")).to_be_visible()
    expect(page.get_by_label("Raw body")).to_have_value(received.body.decode())
    page.get_by_role("button", name="Find the mistake").click()
    expect(page.get_by_role("heading", name="The signature is right")).to_be_visible()

    page.get_by_label("Raw body").fill(json.dumps(json.loads(received.body)))
    page.get_by_label("Framework").select_option("django")
    page.get_by_role("button", name="Find the mistake").click()
    expect(page.get_by_role("heading", name="written anew by Python")).to_be_visible()
    expect(page.get_by_role("heading", name="The first byte that differs")).to_be_visible()
    expect(page.get_by_text("body = request.body")).to_be_visible()
    page.get_by_text("What was tried").click()
    expect(page.locator(".trials .fits")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if javascript:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(RUN_AXE, None) == []
    # What was pasted is still there to be corrected.
    expect(page.get_by_label("Headers")).to_have_value(
        "\n".join(f"{n}: {v}" for n, v in delivery.attempts.get().request_headers)
    )
