"""Publishing: what is stored, for whom, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from deliveries.models import Delivery, DeliveryStatus, Event
from deliveries.publishing import NewEvent, publish, publish_batch
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.status import set_endpoint_active, suspend_endpoint
from subscriptions.errors import Conflict, Refused, SeveralRefused
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db
PURCHASE = {"purchase_id": "pur_1", "amount": 475.50}
URL = "https://example.com/hook"


@pytest.fixture
def clawget() -> Any:
    return broadcaster_on("clawget").broadcaster


def test_an_event_is_stored_with_a_delivery_for_each_endpoint_that_wants_it(clawget: Any) -> None:
    all_topics = endpoint_at(URL, clawget)
    one_topic = endpoint_at(URL, clawget, topics=["purchase.completed"])
    endpoint_at(URL, clawget, topics=["review.created"])

    published = publish(broadcaster=clawget, topic="purchase.completed", data=PURCHASE)

    stored = Event.objects.get(event_id=published.event.event_id)
    assert json.loads(stored.body)["data"]["amount"] == 475.5
    assert stored.body.startswith('{"type":"purchase.completed","id":"evt_')
    assert {endpoint for _, endpoint in published.deliveries} == {
        all_topics.public_id,
        one_topic.public_id,
    }
    assert set(Delivery.objects.values_list("status", flat=True)) == {"pending"}


def test_an_event_that_nobody_wants_is_stored_all_the_same(clawget: Any) -> None:
    published = publish(broadcaster=clawget, topic="purchase.completed", data=PURCHASE)
    assert published.deliveries == []
    assert Event.objects.filter(pk=published.event.pk).exists()


def test_an_inactive_endpoint_gets_no_delivery(clawget: Any) -> None:
    endpoint = endpoint_at(URL, clawget)
    set_endpoint_active(endpoint=endpoint, active=False, actor=COMMAND_LINE)
    assert publish(broadcaster=clawget, topic="review.created", data={}).deliveries == []


def test_a_suspended_endpoint_gets_a_delivery_that_waits_for_a_resend(clawget: Any) -> None:
    endpoint = endpoint_at(URL, clawget)
    suspend_endpoint(endpoint=endpoint, reason="it answered 410 Gone.", actor=COMMAND_LINE)
    publish(broadcaster=clawget, topic="review.created", data={})
    delivery = Delivery.objects.get()
    assert delivery.status == DeliveryStatus.CANCELLED
    assert "suspended" in delivery.status_reason


def test_another_broadcasters_endpoint_gets_nothing(clawget: Any) -> None:
    endpoint_at(URL, broadcaster_on("clawget", "Other").broadcaster)
    assert publish(broadcaster=clawget, topic="review.created", data={}).deliveries == []


def test_a_sandbox_event_does_not_reach_a_live_endpoint() -> None:
    created = broadcaster_on("standard")
    endpoint_at(URL, created.broadcaster)
    topic = created.broadcaster.platform.topics.first()
    assert topic is not None
    assert publish(broadcaster=created.sandbox, topic=topic.name, data={}).deliveries == []


def test_an_alias_is_published_under_the_documented_name() -> None:
    cleeng = broadcaster_on("cleeng").broadcaster
    event = publish(broadcaster=cleeng, topic="newCustomer", data={"customerId": "1"}).event
    assert event.topic == "customerRegistered"
    assert json.loads(event.body) == {
        "broadcasterId": cleeng.pk,
        "topic": "customerRegistered",
        "data": {"customerId": "1"},
    }


def test_an_unknown_topic_is_refused_with_the_nearest_name(clawget: Any) -> None:
    with pytest.raises(Refused) as caught:
        publish(broadcaster=clawget, topic="purchase.complete", data={})
    assert caught.value.code == "unknown_topic"
    assert "purchase.completed" in caught.value.detail
    assert caught.value.pointer == "/topic"


def test_the_same_id_with_the_same_content_answers_the_first_event(clawget: Any) -> None:
    endpoint_at(URL, clawget)
    first = publish(broadcaster=clawget, topic="review.created", data={"a": 1.0}, event_id="r-1")
    again = publish(broadcaster=clawget, topic="review.created", data={"a": 1}, event_id="r-1")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.event.pk == first.event.pk
    assert again.deliveries == first.deliveries
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("field", ["event_id", "idempotency_key"])
def test_the_same_id_with_other_content_is_a_conflict(clawget: Any, field: str) -> None:
    arguments: dict[str, Any] = {"broadcaster": clawget, "topic": "review.created", field: "x"}
    publish(data={"a": 1}, **arguments)
    with pytest.raises(Conflict, match="another topic or other data"):
        publish(data={"a": 2}, **arguments)


def test_the_same_id_is_free_for_another_broadcaster(clawget: Any) -> None:
    other = broadcaster_on("clawget", "Other").broadcaster
    publish(broadcaster=clawget, topic="review.created", data={"a": 1}, event_id="same")
    assert not publish(
        broadcaster=other, topic="review.created", data={"a": 2}, event_id="same"
    ).duplicate


@pytest.mark.parametrize("event_id", ["", "a b", "é", "x" * 65, "a.b"])
def test_an_id_of_other_characters_is_refused(clawget: Any, event_id: str) -> None:
    with pytest.raises(Refused, match="1 to 64"):
        publish(broadcaster=clawget, topic="review.created", data={}, event_id=event_id)


def test_a_body_over_the_limit_is_refused(clawget: Any) -> None:
    with pytest.raises(Refused) as caught:
        publish(broadcaster=clawget, topic="review.created", data={"x": "é" * 140_000})
    assert caught.value.code == "body_too_large"


def test_data_that_json_cannot_carry_is_refused_with_its_place(clawget: Any) -> None:
    with pytest.raises(Refused) as caught:
        publish(broadcaster=clawget, topic="review.created", data={"a": [1, float("nan")]})
    assert caught.value.pointer == "/data/a/1"


def test_a_batch_is_stored_whole_or_not_at_all(clawget: Any) -> None:
    good = NewEvent("review.created", {})
    with pytest.raises(SeveralRefused) as caught:
        publish_batch(
            broadcaster=clawget, events=[good, NewEvent("nope", {}), NewEvent("nada", {})]
        )
    assert [fault.pointer for fault in caught.value.faults] == [
        "/events/1/topic",
        "/events/2/topic",
    ]
    assert not Event.objects.exists()


def test_a_batch_answers_in_order_and_knows_its_own_duplicates(clawget: Any) -> None:
    endpoint_at(URL, clawget)
    events = [NewEvent("review.created", {"n": n}, event_id=f"e{n}") for n in (1, 2, 1)]
    results = publish_batch(broadcaster=clawget, events=events)
    assert [result.event.event_id for result in results] == ["e1", "e2", "e1"]
    assert [result.duplicate for result in results] == [False, False, True]
    assert Delivery.objects.count() == 2


def test_a_rollback_of_the_caller_publishes_nothing(clawget: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish(broadcaster=clawget, topic="review.created", data={})
        raise ZeroDivisionError
    assert not Event.objects.exists()


def test_a_text_with_a_nul_is_stored_and_read_back(clawget: Any) -> None:
    event = publish(broadcaster=clawget, topic="review.created", data={"comment": "a\0b"}).event
    event.refresh_from_db()
    assert '"a\\u0000b"' in event.body
    assert event.data == {"comment": "a\0b"}


def test_an_empty_idempotency_key_is_none(clawget: Any) -> None:
    for _ in range(2):
        publish(broadcaster=clawget, topic="purchase.completed", data=PURCHASE, idempotency_key="")
    assert Event.objects.count() == 2
