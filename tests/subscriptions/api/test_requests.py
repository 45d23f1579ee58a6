"""What every request to the API goes through: tokens, bodies, query parameters, addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from subscriptions.models import PublisherToken
from tests.api_clients import URL, Api, account, problem_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(account().token)


def test_a_token_is_accepted_in_either_header() -> None:
    token = account().token
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-Publisher-Token": token}):
        assert Client().get("/api/v1/broadcaster", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic dTpw"},
        {"X-Publisher-Token": "é\x00"},
        {"X-Publisher-Token": "whp_" + "a" * 46},
    ],
)
def test_a_call_without_a_valid_token_gets_a_challenge(headers: dict[str, str]) -> None:
    response = Client().get("/api/v1/broadcaster", headers=headers)
    problem_of(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_call_without_a_token_is_told_where_to_send_one() -> None:
    problem = problem_of(Client().get("/api/v1/broadcaster"), 401)
    assert problem["code"] == "not_authenticated"
    assert "Authorization: Bearer TOKEN" in problem["detail"]
    assert "X-Publisher-Token: TOKEN" in problem["detail"]


def test_a_revoked_or_expired_token_is_refused() -> None:
    created = account()
    PublisherToken.objects.filter(broadcaster=created.broadcaster).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert problem_of(Api(created.token).get("broadcaster"), 401)["code"] == "invalid_token"
    PublisherToken.objects.filter(broadcaster=created.broadcaster).update(
        expires_at=None, revoked_at=timezone.now()
    )
    problem_of(Api(created.token).get("broadcaster"), 401)


def test_a_token_in_the_query_string_is_an_unknown_parameter(api: Api) -> None:
    token = account(name="Other").token
    problem_of(Client().get("/api/v1/broadcaster", {"token": token}), 401)
    problem = problem_of(api.get("broadcaster", token=token), 400)
    assert problem["code"] == "unknown_parameter"
    assert "'token'" in problem["detail"]


def test_a_session_cookie_is_not_accepted(django_user_model: Any) -> None:
    user = django_user_model.objects.create_superuser("staff@example.com", "password")
    client = Client()
    client.force_login(user)
    problem_of(client.get("/api/v1/broadcaster"), 401)


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/events", "/3.1/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_address_is_a_problem_and_not_a_page(path: str, method: str) -> None:
    problem_of(Client().generic(method, path), 404)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "NONSENSE"])
def test_a_method_that_an_address_does_not_have_is_named_with_those_it_has(
    api: Api, method: str
) -> None:
    response = api.send(method, "endpoints")
    assert problem_of(response, 405)["code"] == "method_not_allowed"
    assert {"GET", "POST"} <= set(response["Allow"].split(", "))


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "/",
        "é",
        "a" * 5000,
    ],
)
def test_only_json_is_read(api: Api, content_type: str) -> None:
    response = api.send("POST", "endpoints", b"{}", **{"content-type": content_type})
    problem_of(response, 415)


@pytest.mark.parametrize(
    "accept", ["text/html", "*/*;q=x", "a/b/c", ",,;;", "application/xml;q=1", "x" * 5000, "é"]
)
def test_the_accept_header_changes_nothing(api: Api, accept: str) -> None:
    client = Client(headers={"Accept": accept})
    problem_of(client.get("/api/v1/broadcaster"), 401)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"nonsense", 400, "malformed_json"),
        (b'{"name": NaN}', 400, "malformed_json"),
        (b'{"name": Infinity}', 400, "malformed_json"),
        (b"\xff\xfe{}", 400, "malformed_json"),
        (b'\xef\xbb\xbf{"name": 1}', 400, "malformed_json"),
        (b"\x00", 400, "malformed_json"),
        (b"[" * 100_000, 422, "nesting_too_deep"),
        (b'{"a":' * 50_000, 422, "nesting_too_deep"),
        (b'{"name": ' + b"[" * 70 + b"]" * 70 + b"}", 422, "nesting_too_deep"),
        (b'{"name": "a", "name": "b"}', 422, "duplicate_key"),
        (b'{"name": "\\ud800"}', 422, "lone_surrogate"),
        (b'{"\\udfff": 1}', 422, "lone_surrogate"),
        (b'{"rate_limit": ' + b"9" * 100_000 + b"}", 422, "number_out_of_range"),
        (b"null", 422, "null"),
        (b"[]", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (b"7", 422, "invalid"),
        (b"true", 422, "invalid"),
    ],
)
def test_what_is_not_acceptable_json_is_refused(
    api: Api, body: bytes, status: int, code: str
) -> None:
    assert problem_of(api.send("POST", "endpoints", body), status)["code"] == code


def test_a_body_over_the_limit_is_refused_before_it_is_read(api: Api) -> None:
    body = b'{"name": "' + b"a" * (256 * 1024) + b'"}'
    assert problem_of(api.send("POST", "endpoints", body), 413)["code"] == "body_too_large"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=251",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "limit=%00",
        "limit=٣",
        "limit=" + "9" * 6000,
        "cursor=",
        "cursor=x",
        "cursor=%F0%9F",
        "cursor=bzE%3D%3D%3D",
        "cursor=" + "a" * 5000,
        "cursor=bzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk",
        "nonsense=1",
        "q=1",
        "&".join(f"p{n}=1" for n in range(1500)),
    ],
)
def test_a_query_that_cannot_be_read_is_a_bad_request(api: Api, query: str) -> None:
    problem_of(api.get(f"endpoints?{query}"), 400)


@pytest.mark.parametrize("name", ["%00", "a%00b", "ep_%ff", "..%2f", "x" * 3000, "%F0%9F%92%A9"])
def test_an_id_of_an_impossible_form_is_not_found(api: Api, name: str) -> None:
    for path in ("endpoints", "topics", "events", "deliveries"):
        problem_of(api.get(f"{path}/{name}"), 404)


def test_every_response_carries_the_request_id(api: Api) -> None:
    client = Client(headers={"X-Request-Id": "my-request-1"})
    assert client.get("/api/v1/broadcaster").json()["request_id"] == "my-request-1"
    assert api.get("broadcaster")["X-Request-Id"]


def test_responses_are_not_cached(api: Api) -> None:
    assert api.get("broadcaster")["Cache-Control"] == "no-store"
    assert api.get("nothing")["Cache-Control"] == "no-store"


def test_a_database_that_does_not_respond_is_a_503_with_retry_after(api: Api) -> None:
    with patch(
        "subscriptions.api.endpoints.create_endpoint", side_effect=OperationalError("locked")
    ):
        response = api.post("endpoints", {"url": URL, "topics": ["*"]})
    assert problem_of(response, 503)["code"] == "database_unavailable"
    assert response["Retry-After"] == "5"


def test_an_internal_error_is_a_problem_that_reveals_nothing() -> None:
    token = account().token
    client = Client(raise_request_exception=False, headers={"X-Publisher-Token": token})
    with patch("subscriptions.api.catalogue.page_of_list", side_effect=RuntimeError("secret")):
        response = client.get("/api/v1/topics")
    assert problem_of(response, 500)["code"] == "internal_error"
    assert b"secret" not in response.content


def test_a_request_for_an_unknown_host_gets_a_problem() -> None:
    problem_of(Client().get("/api/v1/topics", headers={"Host": "evil.example"}), 400)
