from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from subscriptions.endpoints.signing_token_format import check_token, decode_key, generate_token
from subscriptions.errors import Refused


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def refusal(token: str, token_format: str) -> Refused:
    with pytest.raises(Refused) as caught:
        check_token(token, token_format)
    return caught.value


def test_a_generated_text_token_is_43_url_safe_characters() -> None:
    tokens = {generate_token("text") for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_a_generated_whsec_token_is_the_base64_of_32_bytes() -> None:
    tokens = {generate_token("whsec") for _ in range(50)}
    assert len(tokens) == 50
    for token in tokens:
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", token)
        assert len(decode_key(token)) == 32


@pytest.mark.parametrize("token_format", ["text", "whsec"])
def test_a_generated_token_is_one_that_could_be_typed(token_format: str) -> None:
    for _ in range(50):
        check_token(generate_token(token_format), token_format)


@given(key=st.binary(min_size=24, max_size=64))
def test_whsec_tokens_of_24_to_64_bytes_are_accepted_and_decoded_as_the_library_does(
    key: bytes,
) -> None:
    token = whsec(key)
    check_token(token, "whsec")
    assert decode_key(token) == key == Webhook(token)._whsecret


@pytest.mark.parametrize(
    "token",
    [
        "",
        "whsec_",
        whsec(bytes(23)),
        whsec(bytes(65)),
        whsec(bytes(32)).removeprefix("whsec_"),
        whsec(bytes(32)).rstrip("="),
        whsec(bytes(32)) + "=",
        whsec(bytes(32)) + "\n",
        " " + whsec(bytes(32)),
        whsec(bytes(32)).replace("AAA=", "AAB="),
        whsec(b"\xff" * 32).replace("/", "_"),
        "whsec_" + "é" * 44,
        "WHSEC_" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_other_whsec_tokens_are_refused(token: str) -> None:
    error = refusal(token, "whsec")
    assert (error.code, error.pointer) == ("token_invalid", "/token")
    assert "24 to 64 bytes" in error.detail


@pytest.mark.parametrize(
    "token",
    ["12345678", "x" * 200, "two words!", "Größe-日本-🎉", "~`'\"\\<>&%", "whsec_not base64"],
)
def test_printable_text_of_8_to_200_characters_is_accepted_and_its_key_is_its_utf8(
    token: str,
) -> None:
    check_token(token, "text")
    assert decode_key(token) == token.encode()


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("", "has 0 characters"),
        ("1234567", "has 7 characters"),
        ("x" * 201, "has 201 characters"),
        (" secret-token", "starts or ends with a space"),
        ("secret-token ", "starts or ends with a space"),
        ("secret-token\n", "starts or ends with a space"),
        ("secret\ntoken", "Character 7 of the token cannot be printed"),
        ("secret\x00token", "Character 7"),
        ("secret\x7ftoken", "Character 7"),
        ("secret\u2028token", "Character 7"),
        ("secret\u200btoken", "Character 7"),
        ("secret\ud800token", "Character 7"),
    ],
)
def test_other_text_tokens_are_refused_without_being_repeated(token: str, fault: str) -> None:
    error = refusal(token, "text")
    assert fault in error.detail
    assert "secret" not in error.detail
    assert (error.code, error.pointer) == ("token_invalid", "/token")


@given(token=st.text(max_size=60))
def test_every_accepted_text_token_has_a_key(token: str) -> None:
    try:
        check_token(token, "text")
    except Refused:
        return
    assert decode_key(token)
