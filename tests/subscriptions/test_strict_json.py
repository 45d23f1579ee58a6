"""Strict JSON: what is refused, by which rule, and at which place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.strict_json import (
    MAX_INTEGER_DIGITS,
    MAX_NESTING,
    JSONRule,
    StrictJSONError,
    is_nested_deeper,
    read_json,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts).filter(
        lambda value: value not in (float("inf"), float("-inf"))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def fault_of(text: bytes | str) -> StrictJSONError:
    with pytest.raises(StrictJSONError) as caught:
        read_json(text)
    return caught.value


@given(value=values, ensure_ascii=st.booleans())
def test_what_json_writes_is_read_back(value: Any, ensure_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii)
    assert read_json(text) == read_json(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "rule", "fault"),
    [
        ('{"a": 1, "b": 2, "b": 3, "a": 4}', JSONRule.UNIQUE_KEYS, "b"),
        ('[{"a": {"c": 1, "\\u0063": 2}}]', JSONRule.UNIQUE_KEYS, "c"),
        ("[NaN]", JSONRule.FINITE_NUMBERS, "NaN"),
        ('{"a": -Infinity}', JSONRule.FINITE_NUMBERS, "-Infinity"),
        ('["\ud800"]', JSONRule.WHOLE_CHARACTERS, ""),
        ('["\\ud800"]', JSONRule.WHOLE_CHARACTERS, ""),
        ('{"\\uDE00\\uD83D": 1}', JSONRule.WHOLE_CHARACTERS, ""),
        ("9" * 310, JSONRule.SHORT_INTEGERS, "9" * 310),
        ("[" * 65 + "]" * 65, JSONRule.FLAT_NESTING, ""),
        ("[" * 200_000, JSONRule.FLAT_NESTING, ""),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused_with_what_is_at_fault(
    text: str, rule: JSONRule, fault: str
) -> None:
    error = fault_of(text)
    assert (error.rule, error.text) == (rule, fault)


def test_a_fault_of_syntax_has_its_line_and_column() -> None:
    error = fault_of('{"a":\n1,}')
    assert (error.rule, error.line, error.column) == (JSONRule.SYNTAX, 2, 3)
    assert fault_of("\ufeff{}").rule == JSONRule.SYNTAX


def test_bytes_that_are_not_utf_8_are_refused_with_their_offset() -> None:
    error = fault_of(b'{"a": "\xff"}')
    assert (error.rule, error.offset) == (JSONRule.UTF_8, 7)


def test_the_limits_themselves_are_allowed() -> None:
    deepest = "[" * MAX_NESTING + "]" * MAX_NESTING
    assert json.dumps(read_json(deepest)) == deepest
    assert read_json("9" * MAX_INTEGER_DIGITS) == int("9" * MAX_INTEGER_DIGITS)
    assert read_json('"\\ud83c\\udf89\\\\ud800"') == "🎉\\ud800"


@given(text=st.one_of(st.text(max_size=30), st.binary(max_size=30)))
def test_no_input_raises_anything_but_a_strict_json_error(text: bytes | str) -> None:
    try:
        read_json(text)
    except StrictJSONError as error:
        assert error.rule in JSONRule


@pytest.mark.parametrize("value", [1, "[[", None])
def test_a_value_without_arrays_and_objects_has_no_levels(value: object) -> None:
    assert not is_nested_deeper(value, 0)
    assert is_nested_deeper([value], 0)
    assert not is_nested_deeper([{"a": value}, value], 2)
    assert is_nested_deeper([value, {"a": []}], 2)
