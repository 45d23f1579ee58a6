"""How much one customer may ask of the server at once, and the answer beyond that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deliveries.event_log import export
from deliveries.publishing import publish
from subscriptions.accounts import broadcasters, create_broadcaster, create_token, publisher_tokens
from subscriptions.audit import COMMAND_LINE, Actor
from subscriptions.endpoints import lifecycle
from subscriptions.errors import Conflict, Refused
from subscriptions.models import Broadcaster, Endpoint, PublisherToken
from tests.api_clients import URL, Api, account, problem_of
from tests.concurrency import run_concurrently
from tests.deliveries.sending import broadcaster_on
from tests.portal_clients import Portal, make_portal

KIB = 1024
DEEP = json.loads("[" * 65 + "]" * 65)


@pytest.fixture
def api(db: None) -> Api:
    return Api(account("clawget").token)


@pytest.fixture
def portal(db: None) -> Portal:
    return make_portal()


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("events", b'{"topic": "' + b"x" * 256 * KIB + b'"}', 413, "body_too_large"),
        ("events/batch", b'{"events": ["' + b"x" * 8 * KIB * KIB + b'"]}', 413, "body_too_large"),
        ("endpoints", b'{"name": "' + b"x" * 256 * KIB + b'"}', 413, "body_too_large"),
        ("events/batch", {"events": [{}] * 1_001}, 422, "batch_size"),
        ("endpoints", b'{"name": ' + b"[" * 65 + b"]" * 65 + b"}", 422, "nesting_too_deep"),
        ("events", {"topic": "review.created", "data": {"n": DEEP}}, 422, "nesting_too_deep"),
        (
            "endpoints",
            {"url": URL, "topics": ["*"], "description": "x" * 10_001},
            422,
            "max_length",
        ),
        ("endpoints", {"url": URL, "topics": ["*"], "name": "x" * 101}, 422, "max_length"),
        ("endpoints", {"url": f"{URL}/{'x' * 2048}", "topics": ["*"]}, 422, None),
        ("tokens", {"name": "x" * 101, "scopes": ["events:read"]}, 422, "max_length"),
    ],
)
def test_a_body_beyond_a_limit_is_refused_by_name(
    path: str, body: Any, status: int, code: str | None, api: Api
) -> None:
    problem = problem_of(api.post(path, body), status)
    assert code is None or problem["code"] == code


@pytest.mark.parametrize(
    "given",
    [
        [["X-Long", "v" * 2_001]],
        [[f"X-{'n' * 100}", "v"]],
        [[f"X-{n}", "v"] for n in range(21)],
    ],
)
def test_an_endpoint_has_twenty_custom_headers_of_bounded_length(
    given: list[list[str]], portal: Portal
) -> None:
    with pytest.raises(Refused) as caught:
        portal.add_endpoint(headers=given)
    assert caught.value.code == "header_not_allowed"
    assert portal.add_endpoint(headers=[(f"X-{n}", "v" * 2_000) for n in range(20)])


@pytest.mark.parametrize("path", ["events", "deliveries", "attempts", "endpoints", "tokens"])
def test_no_list_gives_a_page_of_more_than_250(path: str, api: Api) -> None:
    assert problem_of(api.get(path, limit=251), 400)["code"] == "invalid_query"
    assert api.get(path, limit=250).status_code == 200


# --- Counts --------------------------------------------------------------------------------------


def test_a_platform_without_a_limit_of_its_own_still_has_one(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "MAX_ENDPOINTS", 2)
    assert portal.live.endpoint_limit is None
    portal.add_endpoint()
    portal.add_endpoint()
    with pytest.raises(Conflict, match="2 is its limit"):
        portal.add_endpoint()
    Broadcaster.objects.update(max_endpoints=3)
    assert portal.add_endpoint(Broadcaster.objects.get(pk=portal.live.pk))
    assert Endpoint.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_tokens_created_at_the_same_time_do_not_pass_their_limit_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher_tokens, "MAX_LIVE_TOKENS", 3)
    broadcaster = broadcaster_on("clawget").broadcaster
    refusals: list[str] = []

    def make() -> None:
        try:
            create_token(
                broadcaster=broadcaster, name="T", scopes=["events:read"], actor=COMMAND_LINE
            )
        except Conflict as error:
            refusals.append(error.code)

    run_concurrently(6, make)
    assert PublisherToken.objects.filter(broadcaster=broadcaster).count() == 3
    assert refusals == ["token_limit_reached"] * 4


def test_a_user_owns_a_limited_number_of_broadcasters_and_staff_any_number(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasters, "MAX_OWNED", 2)
    owner = portal.users["owner"]
    client = portal.client("owner")
    form = {"name": "Another", "platform": "cryptlex"}
    assert client.post("/broadcasters/new/", form).status_code == 302
    page = client.post("/broadcasters/new/", form)
    assert page.status_code == 422 and "ask your operator for more" in page.content.decode()
    owner.is_staff = True
    assert create_broadcaster(
        name="Third", platform="cryptlex", owner=owner, actor=Actor.of_user(owner)
    )


# --- Exports -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_an_export_is_streamed_and_ends_at_its_limit(
    name: str, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_ROWS", 3)
    monkeypatch.setattr(export, "_ROWS_PER_QUERY", 2)
    portal.add_endpoint()
    for n in range(5):
        publish(broadcaster=portal.live, topic="license.created", data={"n": n})
    path = f"/b/{portal.live.pk}/deliveries/export/?format={name}"
    response: Any = portal.client("viewer").get(path)
    assert response.streaming
    heading = 1 if name == "csv" else 0
    assert len(list(response)) == heading + 3
