from __future__ import annotations

import json
import math
import struct
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deliveries.payload.canonical_json import JSONError, canonical, parse_json
from tests.node import Node, NodeError

SCRIPT = """
function answer(text) { return JSON.stringify(JSON.parse(text)); }
"""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node(SCRIPT) as process:
        yield process


def refusal(text: bytes | str) -> JSONError:
    with pytest.raises(JSONError) as caught:
        parse_json(text)
    return caught.value


def refusal_of_value(value: object) -> JSONError:
    with pytest.raises(JSONError) as caught:
        canonical(value)
    return caught.value


# Random JSON: strings of every character, keys that look like array indices, floats of every
# exponent (from their bits), and texts spelled in ways that Python never writes

characters = st.characters(exclude_categories=["Cs"])
awkward = st.sampled_from('\u2028\u2029\u0000\u0001\u001f\u007f\b\f\n\r\t"\\/<>&é日🎉\ufeff\uffff')
texts = st.text(st.one_of(characters, awkward), max_size=12)
index_like = st.one_of(
    st.integers(0, 2**32 + 5).map(str),
    st.integers(0, 12).map(str),
    st.sampled_from(
        ["00", "01", "-0", "-1", "1.0", "4294967294", "4294967295", "4294967296", "٣", "²"]
    ),
)
keys = st.one_of(texts, index_like, st.sampled_from(["__proto__", "constructor", "toJSON", ""]))
bit_floats = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", bits.to_bytes(8))[0])
floats = st.one_of(bit_floats, st.floats()).filter(math.isfinite)
integers = st.integers(-(2**53), 2**53)
scalars = st.one_of(st.none(), st.booleans(), integers, floats, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=8)),
    max_leaves=15,
)


@pytest.mark.node
@settings(max_examples=300, deadline=None)
@given(value=values, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 1]))
def test_any_text_is_written_as_javascript_writes_it(
    node: Node, value: Any, ensure_ascii: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    assert canonical(parse_json(text)) == node.ask(text)


@pytest.mark.node
@settings(max_examples=300, deadline=None)
@given(value=values)
def test_a_python_value_is_written_as_javascript_would_write_its_json(
    node: Node, value: Any
) -> None:
    assert canonical(value) == node.ask(json.dumps(value))


@pytest.mark.node
@settings(max_examples=400, deadline=None)
@given(value=floats)
@example(value=1e21)
@example(value=999999999999999900000.0)
@example(value=1e-6)
@example(value=9.999999999999999e-7)
@example(value=-0.0)
@example(value=5e-324)
@example(value=1.7976931348623157e308)
@example(value=2.0**53 + 2)
def test_floats_are_written_as_javascript_writes_them(node: Node, value: float) -> None:
    assert canonical(value) == node.ask(repr(value))


@pytest.mark.node
def test_floats_of_every_exponent_are_written_as_javascript_writes_them(node: Node) -> None:
    numbers = [f"{digits}e{power}" for power in range(-323, 308) for digits in ("1", "1.5", "-9")]
    text = "[" + ",".join(numbers) + "]"
    assert canonical(parse_json(text)) == node.ask(text)


number_texts = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)


@pytest.mark.node
@settings(max_examples=400, deadline=None)
@given(text=number_texts)
@example(text="9007199254740993")
@example(text="1152921504606847000")
@example(text="1152921504606846976")
@example(text="100000000000000000000000")
@example(text="0.10000000000000000")
@example(text="0.1000000000000000055511151231257827")
@example(text="15.0")
@example(text="-0.0e9")
@example(text="0e999")
@example(text="1e400")
@example(text="1e-400")
@example(text="1E+2")
def test_a_number_is_either_carried_exactly_or_refused(node: Node, text: str) -> None:
    written = node.ask(text)
    # JavaScript writes an overflow as null.
    survives = written != "null" and Decimal(written) == Decimal(text)
    if survives:
        assert canonical(parse_json(text)) == written
    else:
        assert refusal(text).code in ("number_loses_digits", "number_out_of_range")


@pytest.mark.node
@settings(max_examples=300, deadline=None)
@given(value=values, cut=st.integers(0, 80), noise=st.sampled_from(list('{}[],:"\\0-.e\n\x01 ntf')))
def test_what_javascript_cannot_parse_is_refused_as_malformed(
    node: Node, value: Any, cut: int, noise: str
) -> None:
    text = json.dumps(value, ensure_ascii=False)
    broken = text[:cut] + noise + text[cut + 1 :]
    try:
        written = node.ask(broken)
    except NodeError:
        assert refusal(broken).is_malformed
        return
    try:
        parsed = parse_json(broken)
    except JSONError as error:
        assert not error.is_malformed
        return
    assert canonical(parsed) == written


@settings(max_examples=100, deadline=None)
@given(value=values)
def test_writing_is_stable(value: Any) -> None:
    text = canonical(value)
    assert canonical(parse_json(text)) == text
    assert canonical(parse_json(text.encode())) == text


@pytest.mark.node
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"b": 15.0, "a": 475.50}', '{"b":15,"a":475.5}'),
        ("[1e16, 1e21, 1e-7, 0.000001, -0, -0.0]", "[10000000000000000,1e+21,1e-7,0.000001,0,0]"),
        ('{"b":1,"10":2,"9":3,"a":4,"01":5}', '{"9":3,"10":2,"b":1,"a":4,"01":5}'),
        ('[{"x":{"1":1,"y":2,"0":3}}]', '[{"x":{"0":3,"1":1,"y":2}}]'),
        (
            '{"4294967295":1,"4294967294":2,"4294967293":3}',
            '{"4294967293":3,"4294967294":2,"4294967295":1}',
        ),
        ('{"z":1,"__proto__":{"a":1},"1":0}', '{"1":0,"z":1,"__proto__":{"a":1}}'),
        ('"\\u2028\\u007f\\/\\u00e9\\ud83c\\udf89"', '"\u2028\u007f/é🎉"'),
        ('"\\u0000\\u001F\\b\\f\\n\\r\\t\\""', '"\\u0000\\u001f\\b\\f\\n\\r\\t\\""'),
        (" \t\r\n[ ] ", "[]"),
        ('"\\\\ud800"', '"\\\\ud800"'),
    ],
)
def test_known_differences_between_the_languages(node: Node, text: str, written: str) -> None:
    assert canonical(parse_json(text)) == written
    assert node.ask(text) == written


@pytest.mark.parametrize(
    ("text", "code", "pointer"),
    [
        ("NaN", "json_not_a_number", ""),
        ('{"a":[0,-Infinity]}', "json_not_a_number", "/a/1"),
        ('{"a":1,"b":{"c":1,"c":1}}', "duplicate_key", "/b"),
        ('{"a":1,"\\u0061":2}', "duplicate_key", ""),
        ('{"a/b":["\\ud800"]}', "lone_surrogate", "/a~1b/0"),
        ('{"a~b":"\\uDE00\\uD83D"}', "lone_surrogate", "/a~0b"),
        ('{"o":{"\\udfff":1}}', "lone_surrogate", "/o"),
        ('["\ud800"]', "lone_surrogate", ""),
        ('{"id":9007199254740993}', "number_loses_digits", "/id"),
        ("[18446744073709551616]", "number_loses_digits", "/0"),
        ("[0.1, 3.14159265358979323846]", "number_loses_digits", "/1"),
        ("1e400", "number_out_of_range", ""),
        ("[1e-400]", "number_out_of_range", "/0"),
        ("9" * 5000, "number_out_of_range", ""),
        ("", "json_syntax", ""),
        ("[1,]", "json_syntax", ""),
        ("{'a':1}", "json_syntax", ""),
        ("[01]", "json_syntax", ""),
        ('["\t"]', "json_syntax", ""),
        ("[NaN", "json_syntax", ""),
        (b'"\xff"', "json_encoding", ""),
        (b'"\xed\xa0\x80"', "json_encoding", ""),
        (b"\xef\xbb\xbf{}", "json_encoding", ""),
        ("\ufeff{}", "json_encoding", ""),
        ('"a"'.encode("utf-16"), "json_encoding", ""),
    ],
)
def test_what_json_or_a_float_cannot_carry_is_refused_with_its_place(
    text: bytes | str, code: str, pointer: str
) -> None:
    error = refusal(text)
    assert (error.code, error.pointer) == (code, pointer)
    assert error.is_malformed == code.startswith("json_")
    error.detail.encode()  # it goes into an answer, whatever the input was


def test_a_refusal_names_the_value_and_the_way_out() -> None:
    assert refusal('{"id": 9007199254740993}').detail == (
        "The number 9007199254740993 would lose digits: receivers read JSON numbers as 64-bit "
        "floats, where it becomes 9007199254740992. Send it as a string."
    )
    assert 'Key "b" is there twice' in refusal('{"b":1,"b":1}').detail
    assert 'line 2, column 6, where "}" stands' in refusal('{"a":\n1,   }').detail


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"":', "}]")])
def test_64_levels_are_taken_and_65_refused(opening: str, closing: str) -> None:
    step = opening.count("[") + opening.count("{")
    deepest = opening * (64 // step) + "1" + closing * (64 // step)
    assert canonical(parse_json(deepest)) == deepest
    for text in (f"[{deepest}]", f'{{"x":{deepest}}}'):
        assert refusal(text).code == "nesting_too_deep"
        assert parse_json(text, max_nesting=65)
        with pytest.raises(JSONError, match="more than 64 deep"):
            canonical(json.loads(text))


def test_absurd_nesting_is_refused_and_exhausts_nothing() -> None:
    assert refusal("[" * 200_000).code == "nesting_too_deep"
    assert refusal("[" * 500 + "]" * 500).code == "nesting_too_deep"
    circle: list[Any] = []
    circle.append(circle)
    assert refusal_of_value(circle).code == "nesting_too_deep"


def test_many_brackets_that_are_not_deep_are_taken() -> None:
    text = "[" + ",".join(['{"a":[]}', '"[[[["'] * 500) + "]"
    assert canonical(parse_json(text)) == text


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ({"a": (1, 2)}, "not_json_type", "/a"),
        ([Decimal("1.5")], "not_json_type", "/0"),
        ({"at": [datetime(2024, 1, 1)]}, "not_json_type", "/at/0"),
        (b"bytes", "not_json_type", ""),
        ({"a": {1: 2}}, "not_json_type", "/a"),
        ({"a": 1, None: 2}, "not_json_type", ""),
        ({True: 1}, "not_json_type", ""),
        ({"1": 0, 2: 0}, "not_json_type", ""),
        ([float("nan")], "json_not_a_number", "/0"),
        ({"a": float("-inf")}, "json_not_a_number", "/a"),
        ({"a": 2**53 + 1}, "number_loses_digits", "/a"),
        (-(2**64), "number_loses_digits", ""),
        (10**400, "number_out_of_range", ""),
        (2**1024, "number_out_of_range", ""),
        ({"a": ["ok", "\ud800"]}, "lone_surrogate", "/a/1"),
        ({"o": {"\udc00": 1}}, "lone_surrogate", "/o"),
        ({"\udc00": 2**53 + 1}, "number_loses_digits", "/\\udc00"),
        (["\ud83c\udf89"], "lone_surrogate", "/0"),
    ],
)
def test_python_values_follow_the_same_rules(value: object, code: str, pointer: str) -> None:
    error = refusal_of_value(value)
    assert (error.code, error.pointer) == (code, pointer)
    (error.detail + error.pointer).encode()


def test_large_integers_that_lose_nothing_are_taken() -> None:
    assert canonical([2**53, 10**20, 10**21, -(10**22)]) == (
        "[9007199254740992,100000000000000000000,1e+21,-1e+22]"
    )


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Price(float):
    def __repr__(self) -> str:
        return "a price"


def test_subclasses_are_written_as_the_values_they_hold() -> None:
    value = {
        Colour.RED: [Colour.RED, Level.HIGH, Price(1.5), True],
        "d": defaultdict(list, a=[1]),
        "o": OrderedDict([("2", 0), ("1", 0)]),
    }
    assert canonical(value) == '{"red":["red",3,1.5,true],"d":{"a":[1]},"o":{"1":0,"2":0}}'


@given(text=st.text(max_size=30))
def test_no_text_at_all_raises_anything_but_a_refusal(text: str) -> None:
    try:
        value = parse_json(text)
    except JSONError as error:
        (error.detail + error.pointer).encode()
        return
    assert parse_json(canonical(value)) == value


@given(text=st.binary(max_size=30))
def test_no_bytes_at_all_raise_anything_but_a_refusal(text: bytes) -> None:
    try:
        value = parse_json(text)
    except JSONError as error:
        (error.detail + error.pointer).encode()
        return
    assert parse_json(canonical(value)) == value
