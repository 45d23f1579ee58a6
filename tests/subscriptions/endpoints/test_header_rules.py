"""Custom headers: which are accepted, and which are masked. Hostile ones are in tests/attacks."""

from __future__ import annotations

import pytest

from subscriptions.endpoints.header_rules import (
    MAX_HEADERS,
    check_headers,
    is_reserved,
    mask_headers,
)
from subscriptions.errors import Refused


def refusal(*headers: tuple[str, str]) -> str:
    with pytest.raises(Refused) as caught:
        check_headers(headers, signature_header="X-Shop-Signature")
    assert (caught.value.code, caught.value.pointer) == ("header_not_allowed", "/headers")
    return caught.value.detail


def test_headers_that_may_be_set_are_kept_as_they_are() -> None:
    headers = [("X-Shop", "7"), ("Authorization", "Bearer s3cret"), ("X-Empty", "")]
    assert check_headers(headers, signature_header="") == headers


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Webhook-Id", "Proxy-Connection", "x-shop-signature"]
)
def test_a_header_that_the_portal_or_http_sets_is_refused(name: str) -> None:
    assert refusal((name, "x")) == (
        f"The header {name} is set by the portal itself and cannot be given."
    )
    assert is_reserved(name, "X-Shop-Signature")


def test_a_header_given_twice_is_refused_in_any_case() -> None:
    assert refusal(("X-Shop", "1"), ("x-shop", "2")) == (
        "The header x-shop is given twice: give it once."
    )


def test_too_many_headers_are_refused_with_their_number() -> None:
    headers = [(f"X-{number}", "") for number in range(MAX_HEADERS + 1)]
    assert refusal(*headers) == "21 custom headers: at most 20 are allowed."


def test_values_are_masked_whose_names_say_that_they_are_secret() -> None:
    headers = [("X-Api-Key", "s3cret"), ("Authorization", "Bearer s3cret"), ("X-Shop", "7")]
    assert mask_headers(headers) == [
        ("X-Api-Key", "••••"),
        ("Authorization", "••••"),
        ("X-Shop", "7"),
    ]
