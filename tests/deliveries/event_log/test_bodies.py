"""What strangers sent, shown as inert text."""

from __future__ import annotations

import json
import shlex
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.event_log.bodies import hex_dump, indent_json, render_body, reveal_unseen
from deliveries.event_log.curl_command import curl_command
from deliveries.payload.canonical_json import canonical

# Classes of characters that change the direction of the text after them.
TURNS_TEXT = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_indenting_changes_nothing_but_white_space(value: object) -> None:
    text = canonical(value)
    assert json.loads(indent_json(text)) == json.loads(text)
    assert canonical(json.loads(indent_json(text))) == text


def test_numbers_are_shown_as_they_were_sent() -> None:
    assert indent_json('{"a":1e-7,"b":[],"c":{},"d":[10000000000000000,{"e":"x, {y}"}]}') == (
        '{\n  "a": 1e-7,\n  "b": [],\n  "c": {},\n  "d": [\n    10000000000000000,\n'
        '    {\n      "e": "x, {y}"\n    }\n  ]\n}'
    )


@given(st.text())
def test_nothing_that_hides_or_turns_text_gets_through(text: str) -> None:
    for character in reveal_unseen(text):
        if character not in "\t\n\r":
            assert unicodedata.category(character) not in ("Cc", "Cs")
            assert unicodedata.bidirectional(character) not in TURNS_TEXT


@given(st.binary(max_size=300), st.sampled_from(["", "text/html", "application/json", "text/xml"]))
def test_no_body_becomes_markup(body: bytes, content_type: str) -> None:
    markup = render_body(b"<script>" + body, content_type).markup
    assert "<script" not in markup


def test_bytes_that_are_not_utf8_are_shown_as_bytes() -> None:
    shown = render_body(b"\x89PNG\r\n\x1a\n")
    assert shown.language == "hex"
    assert "89 50 4e 47" in shown.markup
    assert "byte 0x89 at offset 0" in shown.notes[0]


def test_a_long_dump_says_what_it_leaves_out() -> None:
    assert hex_dump(bytes(3_000)).endswith("… 952 bytes more")


def test_a_very_long_text_is_cut_and_says_so() -> None:
    shown = render_body(b"a" * 200_000, "text/plain")
    assert len(shown.markup) == 100_000
    assert "The first 100,000 of 200,000 characters" in shown.notes[0]


def test_deep_nesting_does_not_make_a_page_without_end() -> None:
    deep = b"[" * 60 + b"1," * 40_000 + b"1" + b"]" * 60
    assert len(render_body(deep, "application/json").markup) == 100_000


@pytest.mark.parametrize("depth", [200, 20_000])
def test_deeply_nested_json_is_shown_all_the_same(depth: int) -> None:
    assert render_body(b"[" * depth + b"]" * depth, "application/json").size_bytes == 2 * depth


def test_unseen_characters_are_named_where_they_stand() -> None:
    shown = render_body('{"a":"x\u202ey\u200bz"}'.encode())
    assert 'x<span class="unseen">⟦U+202E⟧</span>y' in shown.markup
    assert shown.notes == ("Characters that do not show are named in ⟦ ⟧.",)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_shell_reads_the_curl_command_as_it_was_meant(text: str) -> None:
    command = curl_command(url="https://example.com/a'b", headers=[("X-A", text)], body=text)
    words = shlex.split(command.replace(" \\\n  ", " ", 3))
    assert words[:4] == ["curl", "--request", "POST", "https://example.com/a'b"]
    assert words[5] == f"X-A: {text}"
    assert words[7] == text
