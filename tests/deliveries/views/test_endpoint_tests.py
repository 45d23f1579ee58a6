"""Test Webhook: a test is sent, and its result stands below the button."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from deliveries.models import Delivery
from tests.deliveries.sending import dispatch
from tests.deliveries.views.pages import set_state, url
from tests.portal_clients import HTMX, Portal, make_portal
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(transactional_db: None) -> Portal:
    return make_portal()


def test_the_result_of_a_test_stands_inline_as_soon_as_it_is_there(
    portal: Portal, receiver: Receiver
) -> None:
    answer = Reply(status=503, body=b"down for repair", headers=(("X-Server", "b7"),))
    endpoint = portal.add_endpoint(url=receiver.on("/in", answer))
    client = portal.client("developer")
    queued = client.post(url(portal, "endpoint-test", endpoint.public_id), headers=HTMX)
    delivery = Delivery.objects.get()
    result = url(portal, "test-result", delivery.public_id)
    text = queued.content.decode()
    assert "Queued" in text
    assert f'hx-get="{result}"' in text
    waiting = client.get(result, headers=HTMX)
    assert "hx-trigger" in waiting.content.decode()
    tagged = {**HTMX, "If-None-Match": waiting["ETag"]}
    assert client.get(result, headers=tagged).status_code == 304
    dispatch()
    text = client.get(result, headers=tagged).content.decode()
    assert "hx-trigger" not in text
    for words in ("503 Service Unavailable", "down for repair", "X-Server", "What to do:"):
        assert words in text
    assert json.loads(receiver.requests[0].body)["event"] == delivery.topic


def test_without_javascript_a_test_leads_to_its_delivery(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("developer")
    response = client.post(url(portal, "endpoint-test", endpoint.public_id))
    delivery = Delivery.objects.get()
    assert response["Location"] == url(portal, "delivery-detail", delivery.public_id)
    page = client.get(response["Location"]).content.decode()
    assert "Test: never retried" in page


def test_a_test_that_cannot_be_sent_says_why(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    response = portal.client("developer").post(
        url(portal, "endpoint-test", endpoint.public_id), {"topic": "license.creatd"}, headers=HTMX
    )
    assert response.status_code == 422
    assert "license.created" in response.content.decode()
    assert not Delivery.objects.exists()


def test_a_test_that_nobody_sends_says_so(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("developer")
    client.post(url(portal, "endpoint-test", endpoint.public_id))
    delivery = Delivery.objects.get()
    set_state(delivery, created_at=timezone.now() - timedelta(minutes=2))
    result = client.get(url(portal, "test-result", delivery.public_id), headers=HTMX)
    assert "no worker seems to be sending" in result.content.decode()


def test_another_broadcasters_webhook_cannot_be_tested(portal: Portal) -> None:
    foreign = portal.add_endpoint(portal.foreign)
    form = {"endpoint": foreign.public_id, "topic": "license.created", "data": "{}"}
    response = portal.client("developer").post(url(portal, "test-console"), form)
    assert response.status_code == 404
    assert not Delivery.objects.exists()
