"""Account, topics and use cases over the API."""

from __future__ import annotations

import pytest

from tests.api_clients import Api, account, api_with, problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(account().token)


def test_the_broadcaster_that_is_read_is_the_tokens_own() -> None:
    created = account()
    live, sandbox = (
        Api(token).get("broadcaster").json() for token in (created.token, created.sandbox_token)
    )
    assert (live["id"], live["environment"]) == (created.broadcaster.pk, "live")
    assert (sandbox["id"], sandbox["environment"]) == (created.sandbox.pk, "sandbox")
    assert live["platform"] == "clawget"
    assert live["wire"]["body"] == [
        {"field": "type", "source": "topic"},
        {"field": "id", "source": "event.id"},
        {"field": "created", "source": "occurred_at.unix_seconds"},
        {"field": "data", "source": "data"},
    ]
    assert live["wire"]["signature"]["header"] == "X-Clawget-Signature"
    assert live["limits"]["max_endpoints"] is None


def test_topics_come_in_catalogue_order_with_sample_and_schema(api: Api) -> None:
    topics = api.get("topics").json()["data"]
    assert topics[0]["name"] == "purchase.completed"
    assert set(topics[0]) >= {
        "name",
        "group",
        "description",
        "use_cases",
        "aliases",
        "deprecated",
        "sample",
        "schema",
    }
    assert topics[0]["sample"]["purchase_id"]
    assert api.get("topics/purchase.completed").json() == topics[0]


def test_topics_are_paged_in_both_directions(api: Api) -> None:
    names = [topic["name"] for topic in api.get("topics").json()["data"]]
    first = api.get("topics", limit=2).json()
    assert first["prev_cursor"] is None
    second = api.get("topics", limit=2, cursor=first["next_cursor"]).json()
    assert [topic["name"] for topic in first["data"] + second["data"]] == names[:4]
    assert api.get("topics", limit=2, cursor=second["prev_cursor"]).json() == first


def test_a_topic_is_found_by_its_alias() -> None:
    api = Api(account("cleeng").token)
    assert api.get("topics/newCustomer").json()["name"] == "customerRegistered"


def test_a_topic_of_another_platform_is_not_found(api: Api) -> None:
    assert problem_of(api.get("topics/customerRegistered"), 404)


def test_use_cases_are_an_array_of_names_and_topics(api: Api) -> None:
    cases = api.get("use-cases").json()
    assert {"name", "topics"} <= set(cases[0])
    assert any("purchase.completed" in case["topics"] for case in cases)


def test_any_token_reads_the_catalogue() -> None:
    api = api_with(account().broadcaster, "events:write")
    for path in ("broadcaster", "topics", "use-cases"):
        assert api.get(path).status_code == 200
