"""From POST /api/v1/events to a receiver: body, headers, content type and signature, per platform."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from deliveries.models import Delivery
from subscriptions.accounts import CreatedBroadcaster
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import create_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.models import Topic
from tests.api_clients import Api, account
from tests.certificates import authority, good
from tests.deliveries.sending import dispatch
from tests.deliveries.signing.test_signature import CLAWGET_RECEIVER
from tests.node import Node
from tests.receiver import Received, Receiver

pytestmark = pytest.mark.django_db(transaction=True)
MOMENT = "2024-03-04T09:50:51.375Z"
ORDINARY = {"host", "content-type", "content-length", "user-agent"}


@pytest.fixture
def receiver(settings: Any, tmp_path: Path) -> Iterator[Receiver]:
    """Over TLS, for the platforms that take nothing else, under an authority of the tests' own."""
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority().pem)
    settings.WEBHOOKS_EXTRA_CA_FILE = str(trusted)
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver(certificate=good()) as started:
        yield started


def deliver(
    receiver: Receiver, made: CreatedBroadcaster, event: dict[str, Any], **settings: Any
) -> tuple[Received, str]:
    """The request that came in for a published event, and the token that signed it."""
    url = receiver.url("/hook", host="localhost")
    endpoint = create_endpoint(
        broadcaster=made.broadcaster,
        settings=EndpointSettings(name="Receiver", url=url, topics=["*"], **settings),
        actor=COMMAND_LINE,
    )
    answer = Api(made.token).post("events", event)
    assert answer.status_code == 202, answer.content
    dispatch()
    (request,) = receiver.requests
    assert request.method == "POST"
    assert Delivery.objects.get().status == "delivered"
    return request, endpoint.token


def added_headers(request: Received) -> set[str]:
    return {name.lower() for name, _ in request.headers} - ORDINARY


def test_cleeng_sends_three_plain_fields_unsigned(receiver: Receiver) -> None:
    made = account("cleeng")
    data = {"customerId": "900", "customerEmail": "jürgen@example.com"}
    request, _ = deliver(receiver, made, {"topic": "newCustomer", "data": data})
    expected = (
        f'{{"broadcasterId":{made.broadcaster.pk},"topic":"customerRegistered",'
        '"data":{"customerId":"900","customerEmail":"jürgen@example.com"}}'
    )
    assert request.body.decode() == expected
    assert request.header("content-type") == "application/json"
    assert added_headers(request) == set()


@pytest.mark.parametrize(
    "topic",
    ["optIn", "optOut", "delivery", "click", "updateTopics", "topicAdded", "attributeUpdate"],
)
def test_cleverpush_spreads_the_payloads_own_fields(receiver: Receiver, topic: str) -> None:
    sample = Topic.objects.get(platform="cleverpush", name=topic).sample_data
    request, _ = deliver(receiver, account("cleverpush"), {"topic": topic, "data": sample})
    compact = json.dumps({"type": topic} | sample, separators=(",", ":"), ensure_ascii=False)
    assert request.body.decode() == compact
    assert request.header("content-type") == "application/json"
    assert added_headers(request) == set()


def test_cryptlex_signs_with_base64_and_seven_digits_of_a_second(receiver: Receiver) -> None:
    import hashlib
    import hmac

    key = "D08B53-C564F8-463EA5-F16A15-E35D6E-D2559B"
    event = {"topic": "license.created", "data": {"key": key}, "occurred_at": MOMENT}
    request, token = deliver(receiver, account("cryptlex"), event)
    assert request.body.decode() == (
        f'{{"event":"license.created","data":{{"key":"{key}"}},'
        '"triggeredAt":"2024-03-04T09:50:51.3750000Z"}'
    )
    assert request.header("content-type") == "application/json; charset=utf-8"
    assert added_headers(request) == {"webhook-signature"}
    digest = hmac.digest(token.encode(), request.body, hashlib.sha256)
    assert request.header("webhook-signature") == base64.b64encode(digest).decode()


@pytest.mark.node
@pytest.mark.parametrize(
    "data",
    [
        '{"payout_id":"pyt_abc123","amount":475.50,"currency":"USDT"}',
        '{"amount":1e-7,"large":1e21,"whole":15.0,"tiny":-0.000001}',
        '{"comment":"Größe – 日本 🎉 a/b <c> \\u2028 \\u0001"}',
        '{"b":1,"10":"ten","9":"nine","a":{"2":2,"1":1}}',
    ],
)
def test_clawgets_own_javascript_verifies_what_arrives(receiver: Receiver, data: str) -> None:
    made = account("clawget")
    event = (
        f'{{"topic":"payout.completed","id":"evt_jkl012","occurred_at":"{MOMENT}","data":{data}}}'
    )
    url = receiver.url("/hook", host="localhost")
    settings = EndpointSettings(name="Receiver", url=url, topics=["payout.completed"])
    token = create_endpoint(
        broadcaster=made.broadcaster, settings=settings, actor=COMMAND_LINE
    ).token
    assert Api(made.token).post("events", event).status_code == 202
    dispatch()
    (request,) = receiver.requests
    assert request.body.startswith(
        b'{"type":"payout.completed","id":"evt_jkl012","created":1709545851,"data":{'
    )
    assert request.header("content-type") == "application/json"
    assert added_headers(request) == {"x-clawget-signature"}
    signature = request.header("x-clawget-signature") or ""
    assert len(signature) == 64 and signature == signature.lower()
    with Node(CLAWGET_RECEIVER) as node:
        question = {"body": base64.b64encode(request.body).decode(), "secret": token}
        assert node.ask(question | {"signature": signature}) is True
        assert node.ask(question | {"signature": "0" * 64}) is False


def test_standard_webhooks_verifies_with_the_specifications_own_library(receiver: Receiver) -> None:
    topic = Topic.objects.filter(platform="standard").first()
    assert topic is not None
    event = {"topic": topic.name, "data": topic.sample_data, "id": "msg_1", "occurred_at": MOMENT}
    request, token = deliver(receiver, account("standard"), event)
    body = json.loads(request.body)
    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["timestamp"]) == (topic.name, MOMENT)
    assert request.header("webhook-id") == "msg_1"
    assert Webhook(token).verify(request.body, dict(request.headers)) == body


def test_cleeng_can_be_signed_without_a_change_to_the_body(receiver: Receiver) -> None:
    made = account("cleeng")
    event = {"topic": "transactionCreated", "data": {"offerPrice": 9.90}}
    request, token = deliver(receiver, made, event, signature="standard")
    assert list(json.loads(request.body)) == ["broadcasterId", "topic", "data"]
    assert added_headers(request) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    Webhook(token).verify(request.body, dict(request.headers))
