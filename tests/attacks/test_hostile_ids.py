"""Hostile ids, cursors and filters to every address of the API."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.api_clients import problem_of
from tests.attacks.api_walk import LISTS, OPERATIONS, WITH_IDS, Account, Operation, make_account
from tests.attacks.hostile import TEXTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours() -> Account:
    return make_account()


def quoted(text: str) -> str:
    """For a URL: with UTF-8 of what is no character, as a stranger would write it."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("operation", WITH_IDS, ids=str)
def test_a_hostile_id_is_missing(operation: Operation, ours: Account) -> None:
    for told, text in TEXTS.items():
        path = operation.path(**dict.fromkeys(operation.parameters, quoted(text)))
        response = ours.api.send(
            operation.method, path, "[]" if operation.method == "PUT" else None
        )
        # 405: the empty id of a thing is the address of the list.
        assert response.status_code in (404, 405), told
        problem_of(response, response.status_code)


@pytest.mark.parametrize("operation", WITH_IDS, ids=str)
def test_an_id_with_something_around_it_is_another(operation: Operation, ours: Account) -> None:
    for name in operation.parameters:
        real = ours.ids[name]
        for text in (
            f"{real} ",
            f" {real}",
            f"{real}\0",
            f"{real}\n",
            real.swapcase(),
            f"{real}%00",
            f"{real}/",
            f"./{real}",
            f"{real};a",
        ):
            response = ours.api.send(
                operation.method, operation.path(**{**ours.ids, name: quoted(text)})
            )
            assert response.status_code in (404, 405), text


# Filters that take any text; the others are refused before anything is looked up.
FREE = ("q", "topic", "endpoint", "event", "failure")


@pytest.mark.parametrize("operation", LISTS, ids=str)
def test_a_hostile_filter_is_refused_or_finds_nothing(operation: Operation, ours: Account) -> None:
    free = [name for name in operation.queries if name in FREE]
    queries = [free, *([name] for name in operation.queries if name not in FREE)]
    for told, text in TEXTS.items():
        for names in filter(None, queries):
            query = "&".join(f"{name}={quoted(text)}" for name in names)
            response = ours.api.get(f"{ours.path(operation)}?{query}")
            assert response.status_code in (200, 400), (query, told)
            if response.status_code == 400:
                problem_of(response, 400)


def cursor(plain: str | bytes) -> str:
    raw = plain.encode() if isinstance(plain, str) else plain
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


CURSORS = {
    "no base64": "!!!",
    "half of base64": "a",
    "base64 of nothing": cursor(""),
    "bytes that are no text": cursor(b"\xff\xfe"),
    "a direction alone": cursor("o"),
    "no direction": cursor("x1"),
    "another script's digits": cursor("o\u0661"),
    "a fraction": cursor("o1.5"),
    "an exponent": cursor("o1e3"),
    "underscores": cursor("o1_0"),
    "spaces": cursor("o 1 "),
    "a sign": cursor("o-1"),
    "beyond bigint": cursor("o9223372036854775808"),
    "far beyond bigint": cursor("o" + "9" * 59),
    "overlong": cursor("o" + "9" * 5_000),
    "a UUID with braces": cursor("o{00000000-0000-0000-0000-000000000000}"),
    "SQL": cursor("o1 OR 1=1"),
    "a NUL": cursor("o1\0"),
    "a lookup": cursor("o__gt"),
}


@pytest.mark.parametrize("operation", [o for o in LISTS if "cursor" in o.queries], ids=str)
def test_a_hostile_cursor_is_refused_or_a_page_of_ones_own(
    operation: Operation, ours: Account
) -> None:
    for told, text in CURSORS.items():
        response = ours.api.get(ours.path(operation), cursor=text)
        assert response.status_code in (200, 400), told
    for told in (
        "no base64",
        "no direction",
        "beyond bigint",
        "SQL",
        "a NUL",
        "overlong",
        "a fraction",
    ):
        problem_of(ours.api.get(ours.path(operation), cursor=CURSORS[told]), 400)


def test_unknown_and_repeated_parameters_are_named_everywhere(ours: Account) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET":
            path = ours.path(operation)
            assert "nope" in problem_of(ours.api.get(f"{path}?nope=1"), 400)["detail"]
            many = "&".join(f"p{number}=1" for number in range(2_000))
            problem_of(ours.api.get(f"{path}?{many}"), 400)
        for name in operation.queries:
            problem_of(ours.api.get(f"{ours.path(operation)}?{name}=1&{name}=2"), 400)


def test_the_walk_is_of_the_whole_api() -> None:
    assert len(OPERATIONS) >= 26
    assert len(LISTS) >= 6
