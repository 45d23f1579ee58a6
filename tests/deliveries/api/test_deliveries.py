"""Deliveries and attempts over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from deliveries.models import Attempt, Delivery
from subscriptions.paging import keyset
from tests.api_clients import URL, Api, account, api_with, pointers, problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(account().token)


def endpoint(api: Api, *topics: str) -> str:
    made = api.post("endpoints", {"url": URL, "topics": list(topics or ["*"])})
    return str(made.json()["id"])


def publish(api: Api, **changes: Any) -> str:
    """The id of the event's first delivery."""
    event = {"topic": "purchase.completed", "data": {}} | changes
    return str(api.post("events", event).json()["deliveries"][0]["id"])


def log(delivery: Delivery, **changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "delivery": delivery,
        "broadcaster_id": delivery.broadcaster_id,
        "endpoint_id": delivery.endpoint_id,
        "topic": delivery.topic,
        "number": 1,
        "trigger": "publish",
        "outcome": "failed",
        "failure": "http_5xx",
        "sent_at": timezone.now(),
        "responded_at": timezone.now(),
        "duration_ms": 12.5,
        "dns_ms": 1.0,
        "remote_address": "93.184.216.34",
        "request_url": URL,
        "request_headers": [["Content-Type", "application/json"], ["X-Key", "••••"]],
        "status_code": 500,
        "response_headers": [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]],
        "response_body": b"ok \xff",
    }
    return Attempt.objects.create(**(values | changes))


def test_a_delivery_has_the_fields_of_the_contract(api: Api) -> None:
    endpoint_id = endpoint(api)
    read = api.get(f"deliveries/{publish(api, id='e1')}").json()
    assert read["attempts"] == []
    assert (read["event_id"], read["endpoint_id"]) == ("e1", endpoint_id)
    assert (read["status"], read["attempt_count"], read["max_attempts"]) == ("pending", 0, 6)
    assert read["next_attempt_at"].endswith("Z")
    assert read["completed_at"] is None
    assert api.get("deliveries").json()["data"] == [
        {name: value for name, value in read.items() if name != "attempts"}
    ]


def test_an_attempt_has_the_fields_of_the_contract(api: Api) -> None:
    endpoint_id = endpoint(api)
    delivery_id = publish(api, id="e1")
    log(Delivery.objects.get(), retry_reason="Attempt 1 answered HTTP 500.")
    (attempt,) = api.get(f"deliveries/{delivery_id}").json()["attempts"]
    assert attempt["id"].startswith("att_")
    assert (attempt["number"], attempt["trigger"]) == (1, "publish")
    assert (attempt["outcome"], attempt["failure"]) == ("failed", "http_5xx")
    assert attempt["explanation"]
    assert attempt["retry_reason"] == "Attempt 1 answered HTTP 500."
    assert attempt["timings"] == {
        "dns_ms": 1.0,
        "connect_ms": None,
        "tls_ms": None,
        "first_byte_ms": None,
    }
    assert attempt["request"]["url"] == URL
    assert attempt["request"]["headers"]["X-Key"] == "••••"
    assert attempt["request"]["body"].startswith('{"type":"purchase.completed"')
    assert attempt["response"] == {
        "status_code": 500,
        "headers": {"Set-Cookie": "a=1, b=2"},
        "body": "ok \ufffd",
        "truncated": False,
    }
    (listed,) = api.get("attempts").json()["data"]
    assert listed == attempt
    assert (listed["event_id"], listed["endpoint_id"]) == ("e1", endpoint_id)


def test_without_an_answer_there_is_no_response(api: Api) -> None:
    endpoint(api)
    publish(api)
    log(Delivery.objects.get(), status_code=None, failure="timeout", responded_at=None)
    (attempt,) = api.get("attempts").json()["data"]
    assert (attempt["response"], attempt["responded_at"]) == (None, None)


def test_deliveries_are_narrowed_down_by_each_filter(api: Api) -> None:
    one, other = endpoint(api, "purchase.completed"), endpoint(api, "review.created")
    first = publish(api, id="e1", data={"buyer": "Zoë"})
    second = publish(api, id="e2", topic="review.created")
    Delivery.objects.filter(event__event_id="e2").update(
        status="failed", failure="timeout", completed_at=timezone.now()
    )

    def listed(**query: Any) -> list[str]:
        response = api.get("deliveries", **query)
        assert response.status_code == 200, response.content
        return [row["id"] for row in response.json()["data"]]

    assert listed() == [second, first]
    assert listed(endpoint=one) == listed(event="e1") == listed(q="Zoë") == [first]
    assert listed(endpoint=other) == listed(topic="review.created") == [second]
    assert listed(status="failed") == listed(failure="timeout") == [second]
    assert listed(q=first) == [first]
    assert listed(q=one) == [first]
    assert listed(test="true") == listed(endpoint="ep_nothing") == listed(event="nothing") == []
    assert listed(test="false", status="pending") == [first]
    assert listed(created_before="2024-01-01T00:00:00Z") == []


def test_attempts_are_narrowed_down_by_each_filter(api: Api) -> None:
    endpoint(api)
    publish(api, id="e1", data={"buyer": "Zoë"})
    publish(api, id="e2", topic="review.created")
    one, other = Delivery.objects.order_by("pk")
    failed = log(one).public_id
    succeeded = log(other, outcome="succeeded", failure="", status_code=200).public_id
    Delivery.objects.filter(pk=other.pk).update(status="delivered")

    def listed(**query: Any) -> list[str]:
        response = api.get("attempts", **query)
        assert response.status_code == 200, response.content
        return [row["id"] for row in response.json()["data"]]

    assert listed() == [succeeded, failed]
    assert listed(outcome="failed") == listed(status_code=500) == listed(q="Zoë") == [failed]
    assert listed(failure="http_5xx") == listed(event="e1") == listed(q=one.public_id) == [failed]
    assert listed(status="delivered") == listed(topic="review.created") == [succeeded]
    assert listed(q=succeeded) == [succeeded]
    assert listed(created_after=(timezone.now() + timedelta(hours=1)).isoformat()) == []


@pytest.mark.parametrize("path", ["deliveries", "attempts"])
@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "test=yes",
        "test=1",
        "q=%00",
        "status_code=abc",
        "status_code=99999999999999999999",
        "outcome=perhaps",
        "limit=300",
        "cursor=bm90LWEtdXVpZA",
        "event=",
    ],
)
def test_filters_that_cannot_be_read_are_bad_requests(api: Api, path: str, query: str) -> None:
    problem_of(api.get(f"{path}?{query}"), 400)


def test_a_resend_makes_an_attempt_due_now(api: Api) -> None:
    endpoint(api)
    delivery_id = publish(api)
    Delivery.objects.update(status="failed", next_attempt_at=None, completed_at=timezone.now())
    response = api.post(f"deliveries/{delivery_id}/resend")
    assert response.status_code == 202
    assert (response.json()["status"], response.json()["completed_at"]) == ("pending", None)
    again = api.post(f"deliveries/{delivery_id}/resend")
    assert problem_of(again, 409)["code"] == "attempt_under_way"


def test_a_cancelled_delivery_has_ended(api: Api) -> None:
    endpoint(api)
    path = f"deliveries/{publish(api)}"
    cancelled = api.post(f"{path}/cancel").json()
    assert (cancelled["status"], cancelled["next_attempt_at"]) == ("cancelled", None)
    assert problem_of(api.post(f"{path}/cancel"), 409)["code"] == "not_pending"


def test_resend_and_cancel_take_no_body(api: Api) -> None:
    endpoint(api)
    path = f"deliveries/{publish(api)}"
    for verb in ("resend", "cancel"):
        assert pointers(api.post(f"{path}/{verb}", {"now": True})) == {"/now"}


def test_a_test_is_marked_and_made_from_the_sample(api: Api) -> None:
    path = f"endpoints/{endpoint(api, 'review.created')}"
    api.patch(path, {"active": False})
    response = api.post(f"{path}/test")
    assert response.status_code == 202, response.content
    assert set(response.json()) == {"event_id", "delivery_id"}
    read = api.get(f"deliveries/{response.json()['delivery_id']}").json()
    assert (read["test"], read["topic"], read["max_attempts"]) == (True, "review.created", 1)
    event = api.get(f"events/{response.json()['event_id']}").json()
    assert (event["test"], bool(event["data"]["review_id"])) == (True, True)


def test_a_test_may_have_its_own_topic_and_data(api: Api) -> None:
    path = f"endpoints/{endpoint(api)}/test"
    body = {"topic": "payout.completed", "data": {"amount": 1}}
    made = api.post(path, body).json()
    assert api.get(f"events/{made['event_id']}").json()["data"] == {"amount": 1}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"topic": "nothing"}, "/topic"),
        ({"topic": 7}, "/topic"),
        ({"topic": ""}, "/topic"),
        ({"data": []}, "/data"),
        ({"data": "x"}, "/data"),
        ({"id": "e1"}, "/id"),
        ([], ""),
    ],
)
def test_a_bad_test_is_refused(api: Api, body: Any, pointer: str) -> None:
    assert pointers(api.post(f"endpoints/{endpoint(api)}/test", body)) == {pointer}


def test_a_token_that_only_reads_cannot_resend(api: Api) -> None:
    created = account(name="Other")
    owner, reader = Api(created.token), api_with(created.broadcaster, "events:read")
    endpoint_id = endpoint(owner)
    delivery_id = publish(owner)
    assert reader.get(f"deliveries/{delivery_id}").status_code == 200
    for path in (
        f"deliveries/{delivery_id}/resend",
        f"deliveries/{delivery_id}/cancel",
        f"endpoints/{endpoint_id}/test",
    ):
        problem_of(reader.post(path), 403)


def test_a_page_of_deliveries_takes_few_queries(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    endpoint(api)
    for n in range(5):
        publish(api, id=f"e{n}")
    for delivery in Delivery.objects.all():
        log(delivery)
    for path in ("deliveries", "attempts", "events"):
        with django_assert_max_num_queries(4):
            assert len(api.get(path).json()["data"]) == 5


def test_publishing_takes_few_queries(api: Api, django_assert_max_num_queries: Any) -> None:
    endpoint(api)
    publish(api)
    # token, topic, endpoints, two inserts, and the transaction's begin and end
    with django_assert_max_num_queries(9):
        publish(api)


def walked(api: Api, path: str, **query: Any) -> tuple[list[str], int]:
    """The ids from all pages, and how many pages that took."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    pages = 0
    while True:
        page = api.get(path, **query, **cursor).json()
        ids += [row["id"] for row in page["data"]]
        pages += 1
        if page["next_cursor"] is None:
            return ids, pages
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("events", {"q": "needle"}),
        ("deliveries", {"q": "needle"}),
        ("deliveries", {"topic": "review.created"}),
        ("attempts", {"q": "needle"}),
        ("attempts", {"status_code": 418}),
    ],
)
def test_a_search_looks_through_a_bounded_number_of_rows_and_goes_on_from_there(
    api: Api, path: str, query: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint(api)
    for n in range(10):
        wanted = n in (1, 8)
        topic = "review.created" if wanted else "purchase.completed"
        publish(api, id=f"e{n}", topic=topic, data={"a": "needle" if wanted else "hay"})
        delivery = Delivery.objects.get(event__event_id=f"e{n}")
        log(delivery, status_code=418 if wanted else 500)
    whole, pages = walked(api, path, **query)
    assert (len(whole), pages) == (2, 1)
    monkeypatch.setattr(keyset, "MAX_SEARCHED_ROWS", 3)
    monkeypatch.setattr(keyset, "MAX_COMPARED_ROWS", 3)
    assert walked(api, path, **query) == (whole, 4)
    # Back up from the end, which finds the same.
    last = api.get(path, **query).json()
    while last["next_cursor"]:
        last = api.get(path, **query, cursor=last["next_cursor"]).json()
    back: list[str] = []
    while last["prev_cursor"]:
        last = api.get(path, **query, cursor=last["prev_cursor"]).json()
        back = [row["id"] for row in last["data"]] + back
    assert back == whole
