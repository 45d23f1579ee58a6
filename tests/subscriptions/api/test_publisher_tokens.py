"""Publisher tokens over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api_clients import Api, account, api_with, pointers, problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(account().token)


def test_a_new_token_is_shown_once_and_allows_what_its_scopes_say(api: Api) -> None:
    response = api.post("tokens", {"name": "CI", "scopes": ["events:write"]})
    assert response.status_code == 201
    made = response.json()
    listed = api.get("tokens").json()["data"]
    assert [token["name"] for token in listed] == ["CI", "First token"]
    assert "token" not in listed[0]
    other = Api(made["token"])
    assert other.get("broadcaster").status_code == 200
    assert problem_of(other.get("tokens"), 403)


def test_a_revoked_token_is_refused_and_no_longer_listed(api: Api) -> None:
    made = api.post("tokens", {"name": "CI", "scopes": ["events:write"]}).json()
    assert api.delete(f"tokens/{made['id']}").status_code == 204
    problem_of(Api(made["token"]).get("broadcaster"), 401)
    problem_of(api.delete(f"tokens/{made['id']}"), 404)
    assert [token["name"] for token in api.get("tokens").json()["data"]] == ["First token"]


def test_a_token_cannot_create_one_with_scopes_that_it_lacks() -> None:
    api = api_with(account().broadcaster, "tokens:write")
    response = api.post("tokens", {"name": "More", "scopes": ["tokens:write", "events:read"]})
    assert problem_of(response, 403)["code"] == "missing_scope"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": ["events:write"]}, "/name"),
        ({"name": "CI"}, "/scopes"),
        ({"name": "CI", "scopes": []}, "/scopes"),
        ({"name": "CI", "scopes": ["all"]}, "/scopes/0"),
        ({"name": "CI", "scopes": "events:write"}, "/scopes"),
        ({"name": "CI", "scopes": ["events:read"], "expires_at": "soon"}, "/expires_at"),
        (
            {"name": "CI", "scopes": ["events:read"], "expires_at": "2020-01-01T00:00:00Z"},
            "/expires_at",
        ),
        (
            {"name": "CI", "scopes": ["events:read"], "expires_at": "2099-01-01T00:00:00"},
            "/expires_at",
        ),
        (
            {"name": "CI", "scopes": ["events:read"], "expires_at": "0001-01-01T00:00:00+14:00"},
            "/expires_at",
        ),
        ({"name": "CI", "scopes": ["events:read"], "token": "x"}, "/token"),
    ],
)
def test_bad_input_is_refused_with_its_pointer(api: Api, body: Any, pointer: str) -> None:
    assert pointers(api.post("tokens", body)) == {pointer}
