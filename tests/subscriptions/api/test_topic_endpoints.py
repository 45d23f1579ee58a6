"""Cleeng's way to set up webhooks: a topic's whole list of URLs."""

from __future__ import annotations

import pytest

from subscriptions.models import Endpoint
from tests.api_clients import Api, account, pointers, problem_of

pytestmark = pytest.mark.django_db
A, B, C = (f"https://{name}.example.com/" for name in "abc")
TOPIC = "webhook_subscriptions/transactionCreated"
OTHER = "webhook_subscriptions/subscriptionCreated"


@pytest.fixture
def api() -> Api:
    return Api(account("cleeng").token, base="/3.1/")


def listed(api: Api) -> dict[str, list[str]]:
    rows = api.get("webhook_subscriptions").json()
    return {row["topic"]: [item["url"] for item in row["endpoints"]] for row in rows}


def put(api: Api, topic: str, *urls: str) -> None:
    response = api.put(topic, [{"url": url} for url in urls])
    assert response.status_code == 200, response.content
    assert [item["url"] for item in response.json()] == list(urls)


def test_the_topic_has_exactly_the_endpoints_that_were_put(api: Api) -> None:
    put(api, TOPIC, A, B)
    put(api, OTHER, B)
    assert listed(api) == {"transactionCreated": [A, B], "subscriptionCreated": [B]}
    put(api, TOPIC, C, A)
    assert listed(api) == {"transactionCreated": [A, C], "subscriptionCreated": [B]}
    assert Endpoint.objects.filter(deleted_at=None).count() == 3


def test_an_endpoint_that_lost_its_last_topic_is_deleted(api: Api) -> None:
    put(api, TOPIC, A)
    put(api, TOPIC, B)
    assert Endpoint.objects.get(url=A).deleted_at is not None


def test_an_endpoint_for_all_topics_keeps_the_others() -> None:
    token = account("cleeng").token
    Api(token).post("endpoints", {"url": A, "topics": ["*"]})
    api = Api(token, base="/3.1/")
    put(api, TOPIC, B)
    assert listed(api)["transactionCreated"] == [B]
    assert listed(api)["customerRegistered"] == [A]


def test_the_topic_can_be_named_by_its_alias(api: Api) -> None:
    put(api, "webhook_subscriptions/newCustomer", A)
    assert listed(api) == {"customerRegistered": [A]}


def test_an_empty_list_is_refused_and_changes_nothing(api: Api) -> None:
    put(api, TOPIC, A)
    assert "at least one" in problem_of(api.put(TOPIC, []), 422)["detail"]
    assert listed(api) == {"transactionCreated": [A]}


def test_one_bad_url_refuses_the_whole_list(api: Api) -> None:
    put(api, TOPIC, A)
    response = api.put(TOPIC, [{"url": B}, {"url": "http://10.0.0.5/"}, {"url": B}])
    assert pointers(response) == {"/1/url", "/2/url"}
    assert listed(api) == {"transactionCreated": [A]}


def test_too_many_for_the_platform_changes_nothing(api: Api) -> None:
    put(api, TOPIC, A)
    many = [{"url": f"https://{n}.example.com/"} for n in range(11)]
    assert problem_of(api.put(TOPIC, many), 409)["code"] == "endpoint_limit_reached"
    assert listed(api) == {"transactionCreated": [A]}


def test_the_body_is_an_array_of_objects_with_a_url(api: Api) -> None:
    assert problem_of(api.put(TOPIC, {"url": A}), 422)
    assert pointers(api.put(TOPIC, [{"url": A, "colour": "red"}])) == {"/0/colour"}
    assert pointers(api.put(TOPIC, [{}, 7])) == {"/0/url", "/1"}


def test_an_unknown_topic_is_not_found(api: Api) -> None:
    assert problem_of(api.put("webhook_subscriptions/nothing", [{"url": A}]), 404)


def test_broadcasters_on_other_platforms_get_a_404() -> None:
    api = Api(account("clawget").token, base="/3.1/")
    assert problem_of(api.get("webhook_subscriptions"), 404)["code"] == "not_on_this_platform"
    problem_of(api.put("webhook_subscriptions/purchase.completed", [{"url": A}]), 404)
