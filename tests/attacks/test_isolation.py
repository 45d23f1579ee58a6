"""The walk of an outsider, who owns a broadcaster of their own, through everything that is another's.

The addresses come from the URLconf: one with an id that the table of ids does not know fails here
until it has one. tests/deliveries/api/test_tenancy.py walks the API's ids the same way.
"""

from __future__ import annotations

import json

import pytest

from subscriptions.models import Scope
from tests.api_clients import Api, account, api_with, problem_of
from tests.attacks.api_walk import GOOD, LISTS, OPERATIONS, Account, Operation, make_account
from tests.attacks.portal_walk import (
    MARK,
    TENANTS_PAGES,
    Victim,
    state_of,
    text_of,
)
from tests.portal_clients import HTMX, Portal

pytestmark = pytest.mark.django_db
METHODS = ("get", "head", "post", "put", "patch", "delete")
SHARED = {"broadcaster_id", "name"}  # topics belong to the platform
OF_AN_OBJECT = [page for page in TENANTS_PAGES if page.parameters - SHARED]
OF_NONE = [page for page in TENANTS_PAGES if not page.parameters - SHARED]


def test_an_outsider_finds_nothing_at_any_page(portal: Portal, victim: Victim) -> None:
    before = state_of(victim.broadcaster)
    client = portal.client("stranger")
    for page in TENANTS_PAGES:
        for headers in ({}, HTMX):
            answers = [
                getattr(client, method)(page.path(**victim.ids), headers=headers)
                for method in METHODS
            ]
            # 405 says of the address alone that it has no such method, to everyone.
            assert {answer.status_code for answer in answers} in ({404}, {404, 405}), page
            assert not any(MARK in text_of(answer) for answer in answers), page
    assert state_of(victim.broadcaster) == before


def test_who_is_signed_out_is_led_to_sign_in_from_any_page(portal: Portal, victim: Victim) -> None:
    before = state_of(victim.broadcaster)
    client = portal.client("nobody")
    for page in TENANTS_PAGES:
        answers = [getattr(client, method)(page.path(**victim.ids)) for method in METHODS]
        assert {answer.status_code for answer in answers} in ({302}, {302, 405}), page
        for answer in answers:
            if answer.status_code == 302:
                assert answer["Location"].startswith("/accounts/login/?next=/b/"), page
    assert state_of(victim.broadcaster) == before


def test_anothers_object_is_not_found_below_ones_own_broadcaster(
    portal: Portal, victim: Victim
) -> None:
    before = state_of(victim.broadcaster)
    client = portal.client("stranger")
    for page in OF_AN_OBJECT:
        path = page.path(**{**victim.ids, "broadcaster_id": portal.foreign.pk})
        for method in METHODS:
            answer = getattr(client, method)(path, {"confirmed": "1", "role": "viewer"})
            assert answer.status_code in (404, 405), (method, page)
            assert MARK not in text_of(answer), (method, page)
    assert state_of(victim.broadcaster) == before


def test_the_sandbox_does_not_reach_into_its_live_twin(portal: Portal, victim: Victim) -> None:
    """Nor its own members through it: two tenants. A team is of both."""
    client = portal.client("owner")
    for page in OF_AN_OBJECT:
        if not page.parameters & {"member_id", "invitation_id"}:
            path = page.path(**{**victim.ids, "broadcaster_id": portal.sandbox.pk})
            for method in ("get", "post"):
                answer = getattr(client, method)(path)
                assert answer.status_code in (404, 405), (method, page)


# Names that pages and forms read, each given the ids of another's things.
NAMES = (
    "endpoint",
    "event",
    "delivery",
    "webhook",
    "chosen",
    "member",
    "token",
    "invitation",
    "run",
    "q",
    "cursor",
    "before",
    "seen",
    "row",
    "broadcaster",
    "platform",
    "target",
)
ACTIONS = ("resend", "cancel", "activate", "deactivate", "delete")


def test_anothers_ids_in_queries_and_forms_open_nothing(portal: Portal, victim: Victim) -> None:
    before = state_of(victim.broadcaster)
    client = portal.client("stranger")
    own = {**victim.ids, "broadcaster_id": portal.foreign.pk}
    for page in OF_NONE:
        for given in {str(value) for value in victim.ids.values()} - {"license.created"}:
            answer = client.get(page.path(**own), dict.fromkeys(NAMES, given))
            assert answer.status_code < 500, page
            assert MARK not in text_of(answer), page
        for action in ACTIONS:
            everything = [str(value) for value in victim.ids.values()]
            form = dict.fromkeys(NAMES, everything) | {"action": action, "confirmed": "1"}
            answer = client.post(page.path(**own), form)
            assert answer.status_code < 500, page
            assert MARK not in text_of(answer), page
    assert state_of(victim.broadcaster) == before


# --- The API --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_each_operation_needs_its_own_scope(operation: Operation) -> None:
    made = account("cleeng")
    ids = dict.fromkeys(operation.parameters, "x")
    body = json.dumps(GOOD.get(str(operation))) if str(operation) in GOOD else None
    opening = []
    for left_out in Scope.values:
        api = api_with(made.broadcaster, *(scope for scope in Scope.values if scope != left_out))
        answer = Api.send(_at_root(api), operation.method, operation.path(**ids), body)
        if answer.status_code == 403:
            assert problem_of(answer, 403)["code"] == "missing_scope"
            opening.append(left_out)
    of_the_account = ("broadcaster", "topics", "topics/{name}", "use-cases")
    if operation.address.removeprefix("/api/v1/") in of_the_account:
        assert not opening
    elif str(operation) == "POST /api/v1/tokens":
        # Nobody gives away a scope that they do not have.
        assert opening == ["events:write", "tokens:write"]
    else:
        assert len(opening) == 1


def _at_root(api: Api) -> Api:
    api._base = ""
    return api


def test_anothers_ids_in_bodies_filters_and_cursors_open_nothing() -> None:
    ours, theirs = make_account("Ours"), make_account(MARK)
    before = _all_of(theirs)
    foreign = list(theirs.ids.values())
    for operation in LISTS:
        pages = [ours.path(operation)]
        cursor = theirs.api.get(theirs.path(operation), limit=1).json().get("next_cursor")
        free = [name for name in operation.queries if name in ("endpoint", "event", "q")]
        pages += [f"{pages[0]}?{name}={given}" for name in free for given in foreign]
        pages += [f"{pages[0]}?cursor={cursor}"] if cursor else []
        for page in pages:
            assert MARK not in ours.api.get(page).content.decode(), page
    for operation in OPERATIONS:
        if operation.method != "GET":
            for given in foreign:
                names = ("endpoint", "endpoint_id", "id", "broadcaster", "broadcaster_id", "target")
                answer = ours.api.send(
                    operation.method, theirs.path(operation), dict.fromkeys(names, given)
                )
                assert answer.status_code in (404, 422), operation
                assert MARK not in answer.content.decode().replace(given, "")
    assert _all_of(theirs) == before


def _all_of(of: Account) -> list[bytes]:
    return [of.api.get(of.path(o)).content for o in OPERATIONS if o.method == "GET" and o.queries]


def test_a_session_opens_no_api_and_a_token_no_page(portal: Portal, victim: Victim) -> None:
    for operation in OPERATIONS:
        path = operation.path(**dict.fromkeys(operation.parameters, "x"))
        assert portal.client("owner").generic(operation.method, path).status_code == 401
    token = account("cryptlex").token
    for page in TENANTS_PAGES:
        client = portal.client("nobody")
        answer = client.get(page.path(**victim.ids), headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code in (302, 405)
