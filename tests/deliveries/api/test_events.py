"""Publishing and reading events over the API."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from deliveries.models import Delivery, Event
from tests.api_clients import URL, Api, account, api_with, pointers, problem_of

pytestmark = pytest.mark.django_db
DATA = {"purchase_id": "pur_1", "amount": 475.5, "buyer": {"email": "größe@example.com"}}
EVENT = {"topic": "purchase.completed", "data": DATA}


@pytest.fixture
def api() -> Api:
    return Api(account().token)


def endpoint(api: Api, *topics: str) -> str:
    made = api.post("endpoints", {"url": URL, "topics": list(topics or ["*"])})
    return str(made.json()["id"])


def publish(api: Api, **changes: Any) -> Any:
    response = api.post("events", EVENT | changes)
    assert response.status_code == 202, response.content
    return response.json()


def test_a_202_names_the_event_and_a_delivery_for_each_endpoint(api: Api) -> None:
    wanting = endpoint(api, "purchase.completed")
    endpoint(api, "review.created")
    body = publish(api)
    assert set(body) == {"id", "topic", "occurred_at", "created_at", "duplicate", "deliveries"}
    assert body["id"].startswith("evt_")
    assert body["duplicate"] is False
    assert [item["endpoint_id"] for item in body["deliveries"]] == [wanting]
    assert body["deliveries"][0]["id"].startswith("dlv_")
    datetime.strptime(body["created_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    assert Event.objects.get().event_id == body["id"]


def test_the_same_id_and_content_again_is_a_duplicate_and_sends_nothing(api: Api) -> None:
    endpoint(api)
    first = publish(api, id="order-1")
    again = api.post("events", EVENT | {"id": "order-1"})
    assert again.status_code == 200
    assert again.json() == first | {"duplicate": True}
    assert Delivery.objects.count() == 1


def test_the_same_id_with_other_content_is_a_conflict(api: Api) -> None:
    publish(api, id="order-1")
    response = api.post("events", EVENT | {"id": "order-1", "data": {}})
    assert problem_of(response, 409)["code"] == "id_reused"


def test_an_idempotency_key_makes_a_duplicate_of_an_event_without_an_id(api: Api) -> None:
    first = api.post("events", EVENT, Idempotency_Key="key 1")
    again = api.post("events", EVENT, Idempotency_Key="key 1")
    other = api.post("events", EVENT | {"data": {}}, Idempotency_Key="key 1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    problem_of(other, 409)


@pytest.mark.parametrize("key", ["", " ", "a" * 241, "schlüssel", "a\tb"])
def test_an_idempotency_key_that_cannot_be_stored_is_refused(api: Api, key: str) -> None:
    response = api.post("events", EVENT, Idempotency_Key=key)
    assert problem_of(response, 422)["code"] == "invalid_idempotency_key"


def test_ids_are_unique_per_broadcaster_only(api: Api) -> None:
    publish(api, id="order-1")
    publish(Api(account(name="Other").token), id="order-1", data={})


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"topic": "purchase.complete"}, "/topic"),
        ({"topic": None}, "/topic"),
        ({"topic": 7}, "/topic"),
        ({"topic": ""}, "/topic"),
        ({"topic": "a\0b"}, "/topic"),
        ({"topic": "a" * 200_000}, "/topic"),
        ({"data": None}, "/data"),
        ({"data": [1]}, "/data"),
        ({"data": "{}"}, "/data"),
        ({"id": ""}, "/id"),
        ({"id": "a" * 65}, "/id"),
        ({"id": "a b"}, "/id"),
        ({"id": "é"}, "/id"),
        ({"id": 7}, "/id"),
        ({"occurred_at": "yesterday"}, "/occurred_at"),
        ({"occurred_at": 1709545851}, "/occurred_at"),
        ({"occurred_at": "2024-03-04T09:50:51"}, "/occurred_at"),
        ({"occurred_at": "2024-13-04T09:50:51Z"}, "/occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "/occurred_at"),
        ({"occurred_at": "2099-01-01T00:00:00Z"}, "/occurred_at"),
        ({"colour": "red"}, "/colour"),
        ({"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_a_bad_event_is_refused_by_pointer_and_not_stored(
    api: Api, changes: Any, pointer: str
) -> None:
    assert pointers(api.post("events", EVENT | changes)) == {pointer}
    assert not Event.objects.exists()


def test_every_fault_has_its_entry(api: Api) -> None:
    assert pointers(api.post("events", {"id": 1, "x": 2})) == {"/topic", "/data", "/id", "/x"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"n": 12345678901234567890}', "number_loses_digits"),
        (b'{"n": 1e999}', "number_out_of_range"),
        (b'{"n": "\\ud800"}', "lone_surrogate"),
        (b'{"n": 1, "n": 2}', "duplicate_key"),
        (b'{"n": ' + b"[" * 65 + b"]" * 65 + b"}", "nesting_too_deep"),
    ],
)
def test_data_that_would_be_altered_on_its_way_is_refused(api: Api, data: bytes, code: str) -> None:
    body = b'{"topic": "purchase.completed", "data": ' + data + b"}"
    assert problem_of(api.send("POST", "events", body), 422)["code"] == code


@pytest.mark.parametrize("data", [b'{"n": NaN}', b'{"n": "\xff"}', b"{"])
def test_a_body_that_is_not_json_is_a_bad_request(api: Api, data: bytes) -> None:
    body = b'{"topic": "purchase.completed", "data": ' + data + b"}"
    assert problem_of(api.send("POST", "events", body), 400)["code"] == "malformed_json"


def test_a_nul_character_in_the_data_is_kept(api: Api) -> None:
    event = publish(api, data={"text": "a\0b", "nul\0": 1})
    read = api.get(f"events/{event['id']}").json()
    assert read["data"] == {"text": "a\0b", "nul\0": 1}


def test_an_event_over_256_kib_is_too_large(api: Api) -> None:
    problem_of(api.post("events", EVENT | {"data": {"a": "x" * 262_144}}), 413)


def test_an_event_is_read_with_data_body_and_deliveries(api: Api) -> None:
    endpoint_id = endpoint(api)
    published = publish(api, occurred_at="2024-03-04T10:50:51.375123+01:00")
    read = api.get(f"events/{published['id']}").json()
    assert read["data"] == DATA
    assert read["occurred_at"] == published["occurred_at"] == "2024-03-04T09:50:51.375Z"
    assert json.loads(read["body"])["data"] == DATA
    assert read["body"] == Event.objects.get().body
    assert read["deliveries"][0]["endpoint_id"] == endpoint_id
    assert read["deliveries"][0]["event_id"] == published["id"]
    assert read["deliveries"][0]["status"] == "pending"


def test_events_are_listed_newest_first_and_narrowed_down(api: Api) -> None:
    ids = [publish(api, id=f"e{n}", data={"n": f"größe {n}"})["id"] for n in range(3)]
    review = publish(api, id="r1", topic="review.created")
    rows = api.get("events").json()["data"]
    assert [row["id"] for row in rows] == ["r1", *reversed(ids)]
    assert set(rows[0]) == {"id", "topic", "occurred_at", "created_at", "test"}

    def listed(**query: Any) -> list[str]:
        return [row["id"] for row in api.get("events", **query).json()["data"]]

    assert listed(topic="review.created") == ["r1"]
    assert listed(q="größe 1") == ["e1"]
    assert listed(q="R1") == ["r1"]
    assert listed(q="100%") == []
    assert listed(created_after=review["created_at"].replace("Z", "+00:00")) in ([], ["r1"])
    assert listed(created_before="2024-01-01T00:00:00Z") == []
    assert listed(created_after="2024-01-01T00:00:00+00:00", limit=1) == ["r1"]
    assert listed(created_after="0001-01-01T00:00:00Z", created_before="9999-12-31T23:59:59Z")


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=" + "a" * 201,
        "created_after=yesterday",
        "created_before=2024-01-01T00:00:00",
        "created_after=0001-01-01T00:00:00%2B14:00",
        "topic=",
        "status=pending",
        "cursor=bzEyMw",
    ],
)
def test_filters_that_cannot_be_read_are_bad_requests(api: Api, query: str) -> None:
    problem_of(api.get(f"events?{query}"), 400)


def test_a_walk_through_the_pages_is_stable_while_events_are_added(api: Api) -> None:
    for n in range(7):
        publish(api, id=f"e{n}")
    first = api.get("events", limit=3).json()
    publish(api, id="later")
    second = api.get("events", limit=3, cursor=first["next_cursor"]).json()
    third = api.get("events", limit=3, cursor=second["next_cursor"]).json()
    pages = [first, second, third]
    walked = [row["id"] for page in pages for row in page["data"]]
    assert walked == ["e6", "e5", "e4", "e3", "e2", "e1", "e0"]
    assert (first["prev_cursor"], third["next_cursor"]) == (None, None)
    back = api.get("events", limit=3, cursor=third["prev_cursor"]).json()
    assert back["data"] == second["data"]
    newest = api.get("events", limit=5, cursor=back["prev_cursor"]).json()
    assert [row["id"] for row in newest["data"]] == ["later", "e6", "e5", "e4"]
    assert newest["prev_cursor"] is None


def test_a_page_of_newer_events_that_has_none_yet_leads_back(api: Api) -> None:
    for n in range(2):
        publish(api, id=f"e{n}")
    last = api.get("events", limit=1, cursor=api.get("events", limit=1).json()["next_cursor"])
    newer = api.get("events", limit=1, cursor=last.json()["prev_cursor"]).json()
    Event.objects.filter(event_id="e1").delete()
    empty = api.get("events", limit=1, cursor=last.json()["prev_cursor"]).json()
    assert [row["id"] for row in newer["data"]] == ["e1"]
    assert (empty["data"], empty["prev_cursor"]) == ([], None)
    back = api.get("events", cursor=empty["next_cursor"]).json()
    assert [row["id"] for row in back["data"]] == ["e0"]


def test_a_batch_is_stored_in_order_with_a_result_for_each(api: Api) -> None:
    endpoint(api)
    publish(api, id="e1")
    events = [EVENT | {"id": f"e{n}"} for n in range(3)]
    response = api.post("events/batch", {"events": events})
    assert response.status_code == 202, response.content
    results = response.json()["data"]
    assert [item["id"] for item in results] == ["e0", "e1", "e2"]
    assert [item["duplicate"] for item in results] == [False, True, False]
    assert Event.objects.count() == 3


def test_one_bad_event_of_a_batch_is_named_and_none_is_stored(api: Api) -> None:
    events = [EVENT, EVENT | {"topic": "nothing"}, {"topic": "review.created"}]
    assert pointers(api.post("events/batch", {"events": events})) == {"/events/2/data"}
    assert pointers(api.post("events/batch", {"events": events[:2]})) == {"/events/1/topic"}
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/events"),
        ({"events": []}, "/events"),
        ({"events": [EVENT] * 1001}, "/events"),
        ({"events": {"0": EVENT}}, "/events"),
        ({"events": [7]}, "/events/0"),
        ({"events": [EVENT], "more": 1}, "/more"),
        ([EVENT], ""),
    ],
)
def test_a_batch_has_1_to_1000_events(api: Api, body: Any, pointer: str) -> None:
    assert pointers(api.post("events/batch", body)) == {pointer}


def test_a_batch_takes_8_mib_and_no_more(api: Api) -> None:
    event = EVENT | {"data": {"a": "x" * 200_000}}
    assert api.post("events/batch", {"events": [event] * 41}).status_code == 202
    problem_of(api.post("events/batch", {"events": [event] * 42}), 413)


def test_an_event_of_a_batch_over_256_kib_is_refused(api: Api) -> None:
    event = EVENT | {"data": {"a": "x" * 262_144}}
    response = api.post("events/batch", {"events": [EVENT, event]})
    assert pointers(response) == {"/events/1/data"}


def test_an_idempotency_key_covers_a_whole_batch(api: Api) -> None:
    body = {"events": [EVENT, EVENT]}
    first = api.post("events/batch", body, Idempotency_Key="nightly").json()["data"]
    again = api.post("events/batch", body, Idempotency_Key="nightly").json()["data"]
    assert [item["id"] for item in again] == [item["id"] for item in first]
    assert all(item["duplicate"] for item in again)
    assert Event.objects.count() == 2


def test_publishing_and_reading_are_separate_scopes() -> None:
    broadcaster = account().broadcaster
    writer, reader = (api_with(broadcaster, f"events:{verb}") for verb in ("write", "read"))
    assert writer.post("events", EVENT).status_code == 202
    problem_of(writer.get("events"), 403)
    assert reader.get("events").status_code == 200
    problem_of(reader.post("events", EVENT), 403)
    problem_of(reader.post("events/batch", {"events": [EVENT]}), 403)


def test_a_sandbox_token_sees_the_sandbox_only() -> None:
    created = account()
    live, sandbox = Api(created.token), Api(created.sandbox_token)
    publish(live, id="live-1")
    publish(sandbox, id="sandbox-1")
    assert [row["id"] for row in sandbox.get("events").json()["data"]] == ["sandbox-1"]
    problem_of(sandbox.get("events/live-1"), 404)
    assert sandbox.get("events", q="live").json()["data"] == []
