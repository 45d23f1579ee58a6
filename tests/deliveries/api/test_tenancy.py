"""An outsider's walk: every address of the API that names a thing, with another's thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.api_clients import URL, Api, account, problem_of

pytestmark = pytest.mark.django_db


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, dict[str, str], Any]]:
    """(address, action by method, view class) of each address of the API, from the URLconf."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "actions"):
            callback: Any = pattern.callback
            yield address, callback.actions, callback.cls


def operations() -> list[tuple[str, str]]:
    return sorted(
        (address, method.upper())
        for address, actions, _ in routes()
        for method in actions
        if method != "head"
    )


def named() -> list[tuple[str, str]]:
    shared = ("topics/", "webhook_subscriptions/")
    return [
        (address, method)
        for address, method in operations()
        if "<" in address and not any(part in address for part in shared)
    ]


@pytest.fixture
def things() -> dict[str, str]:
    """One of everything, by the name it has in addresses."""
    api = Api(account(name="Owner").token)
    endpoint = api.post("endpoints", {"url": URL, "topics": ["*"]}).json()["id"]
    event = api.post("events", {"topic": "review.created", "data": {}}).json()
    token = api.post("tokens", {"name": "CI", "scopes": ["events:read"]}).json()["id"]
    return {
        "endpoint_id": endpoint,
        "event_id": event["id"],
        "delivery_id": event["deliveries"][0]["id"],
        "token_id": token,
    }


def filled(address: str, things: dict[str, str]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: things[match[1]], address)


def test_the_walk_covers_the_api() -> None:
    assert len(named()) >= 11
    assert {"api/v1/endpoints/<public_id:endpoint_id>/test"} <= {address for address, _ in named()}


@pytest.mark.parametrize(("address", "method"), named())
def test_another_broadcasters_thing_gets_the_same_404_as_one_that_never_was(
    address: str, method: str, things: dict[str, str]
) -> None:
    outsider = Api(account(name="Outsider").token, base="/")
    foreign = problem_of(outsider.send(method, filled(address, things)), 404)
    never = {name: f"{value[:4]}{'0' * (len(value) - 5)}1" for name, value in things.items()}
    missing = problem_of(outsider.send(method, filled(address, never)), 404)
    for problem, ids in ((foreign, things), (missing, never)):
        problem.pop("request_id")
        for value in ids.values():
            problem["detail"] = problem["detail"].replace(value, "ID")
    assert foreign == missing


@pytest.mark.parametrize(("address", "method"), named())
def test_the_sandbox_does_not_reach_into_its_live_twin(address: str, method: str) -> None:
    created = account()
    live = Api(created.token)
    endpoint = live.post("endpoints", {"url": URL, "topics": ["*"]}).json()["id"]
    event = live.post("events", {"topic": "review.created", "data": {}}).json()
    ids = {
        "endpoint_id": endpoint,
        "event_id": event["id"],
        "delivery_id": event["deliveries"][0]["id"],
        "token_id": live.get("tokens").json()["data"][0]["id"],
    }
    sandbox = Api(created.sandbox_token, base="/")
    problem_of(sandbox.send(method, filled(address, ids)), 404)


@pytest.mark.parametrize(("address", "method"), operations())
def test_no_operation_answers_without_a_token(address: str, method: str) -> None:
    things = dict.fromkeys(
        ("endpoint_id", "event_id", "delivery_id", "token_id", "name", "topic"), "x"
    )
    problem_of(Api(base="/").send(method, filled(address, things)), 401)


def test_every_operation_names_a_scope_or_says_that_any_token_will_do() -> None:
    for address, actions, view in routes():
        assert set(actions.values()) <= set(view.scopes), address


@pytest.mark.parametrize("path", ["endpoints", "events", "deliveries", "attempts", "tokens"])
def test_lists_hold_nothing_of_another_broadcaster(path: str, things: dict[str, str]) -> None:
    outsider = Api(account(name="Outsider").token)
    text = outsider.get(path).content.decode()
    assert not any(value in text for value in things.values())


def test_filters_by_another_broadcasters_ids_find_nothing(things: dict[str, str]) -> None:
    outsider = Api(account(name="Outsider").token)
    for path in ("deliveries", "attempts"):
        for query in (
            {"endpoint": things["endpoint_id"]},
            {"event": things["event_id"]},
            {"q": things["delivery_id"]},
            {"q": things["event_id"]},
        ):
            assert outsider.get(path, **query).json()["data"] == []
