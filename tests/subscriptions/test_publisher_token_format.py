"""The form of publisher tokens: a typing error is found without the database."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.publisher_token_format import (
    PREFIX,
    generate_publisher_token,
    has_publisher_token_form,
)


def test_a_generated_token_has_the_form_that_secret_scanners_look_for() -> None:
    token = generate_publisher_token()
    assert re.fullmatch(r"whp_[A-Za-z0-9]{46}", token)
    assert has_publisher_token_form(token)
    assert generate_publisher_token() != token


@given(position=st.integers(0, 45), letter=st.sampled_from("aZ0é "))
def test_a_token_with_one_wrong_character_is_recognised_as_wrong(
    position: int, letter: str
) -> None:
    body = generate_publisher_token().removeprefix(PREFIX)
    wrong = body[:position] + letter + body[position + 1 :]
    assert has_publisher_token_form(PREFIX + wrong) is (wrong == body)


def test_only_the_whole_token_has_the_form() -> None:
    token = generate_publisher_token()
    for part in (
        "",
        token[4:],
        token[:-1],
        f" {token}",
        f"{token}\n",
        token.replace("whp_", "WHP_"),
    ):
        assert not has_publisher_token_form(part)


@given(st.text())
def test_other_text_does_not_have_the_form(text: str) -> None:
    assert not has_publisher_token_form(text)
