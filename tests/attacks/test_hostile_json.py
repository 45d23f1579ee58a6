"""Hostile JSON to every address of the API: refused in words, never a 500."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api_clients import problem_of
from tests.attacks.api_walk import GOOD, OPERATIONS, Account, make_account
from tests.attacks.hostile import JSON_VALUES

pytestmark = pytest.mark.django_db
WITH_BODY = [operation for operation in OPERATIONS if operation.method not in ("GET", "DELETE")]
# By the kind of a good value: names of hostile ones that come nearest to it, past its first check.
_TEXTS = (
    "an empty string",
    "a NUL",
    "a surrogate pair",
    "control characters",
    "marks of direction",
    "another script's digits",
    "a noncharacter",
    "a long string",
    "a template",
    "SQL",
    "a path",
)
LIKE: dict[type, tuple[str, ...]] = {
    str: ("null", "a number", "an object", *_TEXTS),
    int: (
        "a negative number",
        "a fraction",
        "a number beyond a double",
        "a number beyond bigint",
        "minus zero",
        "true",
    ),
    bool: ("null", "a number", "an empty string"),
    type(None): ("true", "a number beyond bigint", "a path", "a list"),
    list: ("null", "an object", "a list", "a list of lists", "mixed items", "2,000 items"),
    dict: (
        "null",
        "a list",
        "an object",
        "a key of a prototype",
        "a NUL in a key",
        "an empty key",
        "70 levels",
    ),
}
JSON = "application/json"
# Name, body, Content-Type, the status it is refused with.
BODIES: list[tuple[str, bytes, str, int]] = [
    ("nothing", b" ", JSON, 400),
    ("half an object", b'{"a": 1', JSON, 400),
    ("something after the object", b"{} {}", JSON, 400),
    ("a comment", b"{/* */}", JSON, 400),
    ("single quotes", b"{'a': 1}", JSON, 400),
    ("NaN", b'{"data": NaN}', JSON, 400),
    ("Infinity", b'{"data": -Infinity}', JSON, 400),
    ("a control character", b'{"a": "\x01"}', JSON, 400),
    ("invalid UTF-8", b'{"a": "\xff"}', JSON, 400),
    ("overlong UTF-8", b'{"a": "\xc0\x80"}', JSON, 400),
    ("a surrogate in UTF-8", b'{"a": "\xed\xa0\x80"}', JSON, 400),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), JSON, 400),
    ("UTF-16 that the type announces", '{"a": 1}'.encode("utf-16"), f"{JSON}; charset=utf-16", 400),
    ("a byte order mark", b'\xef\xbb\xbf{"a": 1}', JSON, 400),
    ("100,000 lists that are never closed", b"[" * 100_000, JSON, 422),
    ("100,000 objects that are never closed", b'{"a":' * 50_000, JSON, 422),
    ("lists within lists", b"[" * 5_000 + b"]" * 5_000, JSON, 422),
    ("a key given twice", b'{"data": {"a": 1, "a": 2}}', JSON, 422),
    ("half a surrogate pair", rb'{"data": "\ud800"}', JSON, 422),
    ("half a surrogate pair in a key", rb'{"\udfff": 1}', JSON, 422),
    ("an integer of 100,000 digits", b'{"data": ' + b"9" * 100_000 + b"}", JSON, 422),
    ("null", b"null", JSON, 422),
    ("a number", b"1", JSON, 422),
    ("a string", b'"a"', JSON, 422),
    ("a list of nulls", b"[null]", JSON, 422),
    (
        "10,000 unknown fields",
        b"{" + b",".join(b'"k%d":0' % n for n in range(10_000)) + b"}",
        JSON,
        422,
    ),
    ("a key of 200,000 characters", b'{"' + b"k" * 200_000 + b'": 0}', JSON, 422),
    ("a field of a prototype", b'{"__proto__": {}, "constructor": {}}', JSON, 422),
    ("too many bytes", b'"' + b"a" * (9 * 1024 * 1024) + b'"', JSON, 413),
    ("no type", b"{}", "", 415),
    ("text", b"{}", "text/plain", 415),
    ("a form", b"topic=a&data=b", "application/x-www-form-urlencoded", 415),
    ("a form in parts", b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
    ("XML", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "text/xml", 415),
    ("a type like ours", b"{}", "application/json-patch+json", 415),
    ("a type that is none", b"{}", "\x80;;;=", 415),
]


@pytest.fixture
def ours() -> Account:
    return make_account()


@pytest.mark.parametrize(
    ("body", "content_type", "status"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES]
)
def test_a_hostile_body_is_refused_everywhere(
    body: bytes, content_type: str, status: int, ours: Account
) -> None:
    for operation in WITH_BODY:
        started = time.process_time()
        response = ours.api.send(
            operation.method, ours.path(operation), body, **{"content-type": content_type}
        )
        assert time.process_time() - started < 2, operation
        problem_of(response, status)


def with_value(good: Any, way: tuple[Any, ...], text: str) -> str:
    """JSON in which the value at the end of the way is this text."""
    if not way:
        return text
    step, rest = way[0], way[1:]
    if isinstance(good, dict):
        items = {**good, step: good.get(step)}
        inner = (
            (json.dumps(k), with_value(v, rest, text) if k == step else json.dumps(v))
            for k, v in items.items()
        )
        return "{" + ",".join(f"{key}: {value}" for key, value in inner) + "}"
    return (
        "["
        + ",".join(
            with_value(v, rest, text) if n == step else json.dumps(v) for n, v in enumerate(good)
        )
        + "]"
    )


def ways(good: Any) -> Iterator[tuple[Any, ...]]:
    """To the whole, and to each value in it."""
    yield ()
    inner = (
        good.items()
        if isinstance(good, dict)
        else enumerate(good)
        if isinstance(good, list)
        else ()
    )
    for step, value in inner:
        for way in ways(value):
            yield (step, *way)


FIELDS = [(label, way) for label, good in GOOD.items() for way in ways(good)]


def check(response: Any, told: str) -> None:
    assert response.status_code < 500, told
    if response.status_code >= 400:
        problem_of(response, response.status_code)
    json.loads(response.content)


@pytest.mark.parametrize("label", GOOD)
def test_a_hostile_value_in_all_fields_at_once_is_no_500(label: str, ours: Account) -> None:
    """Each field's own check meets each value."""
    good = GOOD[label]
    item = good[0] if isinstance(good, list) else good
    for name, text in JSON_VALUES.items():
        body = "{" + ",".join(f'"{field}": {text}' for field in item) + "}"
        response = ours.send(label, f"[{body}]" if isinstance(good, list) else body)
        check(response, name)


# A batch and a change have the fields of an event and of a new endpoint.
@pytest.mark.parametrize(
    "label", [label for label in GOOD if not label.endswith(("batch", "_id}"))]
)
def test_a_hostile_value_in_one_field_of_a_good_body_is_no_500(label: str, ours: Account) -> None:
    """So that it gets past the checks of the others, to the verb and the database."""
    for way in ways(GOOD[label]):
        for name in LIKE[type(value_at(GOOD[label], way))]:
            check(
                ours.send(label, with_value(GOOD[label], way, JSON_VALUES[name])), f"{way}: {name}"
            )


def value_at(value: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        value = value[step]
    return value


def test_what_was_stored_of_it_can_be_read(ours: Account) -> None:
    for label, way in FIELDS:
        if isinstance(value_at(GOOD[label], way), str):
            ours.send(label, with_value(GOOD[label], way, r'"\u0001\u202e\uffff<script>"'))
    for operation in OPERATIONS:
        if operation.method == "GET":
            assert ours.api.get(ours.path(operation)).status_code == 200


def test_every_operation_that_takes_a_body_has_a_good_one() -> None:
    takes_none = {"resend", "cancel", "resume"}
    writes = {str(operation) for operation in WITH_BODY}
    assert {label for label in writes if label.rpartition("/")[2] not in takes_none} == set(GOOD)


@pytest.mark.parametrize("label", GOOD)
def test_the_good_bodies_are_good(label: str, ours: Account) -> None:
    assert ours.send(label, json.dumps(GOOD[label])).status_code in (200, 201, 202)
