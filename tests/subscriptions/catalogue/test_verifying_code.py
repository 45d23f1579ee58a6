"""The code that the portal hands out verifies what is really sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deliveries.signing.signature import signature_headers
from subscriptions.catalogue.verifying_code import LANGUAGES, PLACEHOLDER, render_code_samples
from subscriptions.endpoints.signing_token_format import TokenPair, generate_token
from subscriptions.models import Platform
from subscriptions.platforms.rules import SignatureRules
from tests.node import Node

BODY = '{"key":"Größe, 日本","n":15}'.encode()
HARD_TOKEN = 'it\'s "hard" \\ $HOME #{x} %s 日本'
SCHEMES = ["hmac-sha256-hex", "hmac-sha256-base64", "standard"]


def rules(scheme: str) -> SignatureRules:
    header = "" if scheme == "standard" else "X-Signature"
    return SignatureRules(scheme, header, "typed", "text", ())


def signed(scheme: str, token: str, *, age_seconds: int = 0, previous: str | None = None) -> Any:
    """Headers as the portal sends them, names in lower case."""
    headers = signature_headers(
        signature=rules(scheme),
        choice=None,
        tokens=TokenPair(token, previous),
        event_id="evt_1",
        body=BODY,
        sent_at=datetime.now(UTC) - timedelta(seconds=age_seconds),
    )
    return {name.lower(): value for name, value in headers}


class _Headers(dict[str, str]):
    """Headers that are found in upper and lower case, as in web frameworks."""

    def get(self, name: str, default: Any = "") -> Any:
        return super().get(name.lower(), default)


def sample(scheme: str, language: str, token: str) -> str:
    header = rules(scheme).header
    found = render_code_samples(scheme, header=header, token=token)
    return next(s.text for s in found if s.language == language)


def in_python(scheme: str, token: str) -> Callable[[bytes, dict[str, str]], bool]:
    names: dict[str, Any] = {}
    exec(sample(scheme, "python", token), names)
    return lambda body, headers: names["is_genuine"](body, _Headers(headers))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "token",
    [HARD_TOKEN, generate_token("whsec"), generate_token("text")],
    ids=["hard", "whsec", "text"],
)
def test_the_python_code_accepts_only_genuine_requests(scheme: str, token: str) -> None:
    if scheme != "standard" and token.startswith("whsec_"):
        # A platform's own scheme takes its token as text, whatever it looks like.
        assert in_python(scheme, token)(BODY, signed(scheme, token))
        return
    check = in_python(scheme, token)
    headers = signed(scheme, token)
    assert check(BODY, headers)
    assert not check(BODY + b" ", headers)
    assert not check(BODY, {})
    assert not check(BODY, signed(scheme, "another token"))


@pytest.mark.node
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("token", [HARD_TOKEN, generate_token("whsec")], ids=["hard", "whsec"])
def test_the_node_code_accepts_only_genuine_requests(scheme: str, token: str) -> None:
    script = sample(scheme, "node", token) + (
        "\nfunction answer(q) { return isGenuine(Buffer.from(q.body), q.headers); }\n"
    )
    headers = signed(scheme, token)
    with Node(script) as node:
        assert node.ask({"body": BODY.decode(), "headers": headers})
        assert not node.ask({"body": BODY.decode() + " ", "headers": headers})
        assert not node.ask({"body": BODY.decode(), "headers": {}})
        assert not node.ask({"body": BODY.decode(), "headers": signed(scheme, "another token")})


def test_the_standard_code_refuses_an_old_request_and_accepts_both_tokens_of_a_rotation() -> None:
    new, old = generate_token("whsec"), generate_token("whsec")
    check = in_python("standard", new)
    assert not check(BODY, signed("standard", new, age_seconds=301))
    assert check(BODY, signed("standard", new, age_seconds=290))
    both = signed("standard", new, previous=old)
    assert check(BODY, both)
    assert in_python("standard", old)(BODY, both)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_language_names_the_token_the_header_and_a_comparison_in_constant_time(
    scheme: str,
) -> None:
    constant_time = {
        "python": "hmac.compare_digest",
        "node": "timingSafeEqual",
        "php": "hash_equals",
        "go": "hmac.Equal",
        "ruby": "OpenSSL.secure_compare",
        "csharp": "CryptographicOperations.FixedTimeEquals",
    }
    header = rules(scheme).header or "webhook-signature"
    spellings = {header.lower(), "http_" + header.lower().replace("-", "_")}
    found = render_code_samples(scheme, header=rules(scheme).header)
    assert [s.language for s in found] == [language for language, _, _ in LANGUAGES]
    for made in found:
        assert PLACEHOLDER in made.text
        assert constant_time[made.language] in made.text
        assert any(name in made.text.lower() for name in spellings)
        assert "{{" not in made.text
        assert "&" not in made.text.replace("&&", "").replace("&amp;", "!")


def test_a_token_cannot_break_out_of_its_literal() -> None:
    for language in ("php", "ruby"):
        assert r"'it\'s \"hard\" \\ $HOME #{x} %s 日本'".replace(r"\"", '"') in sample(
            "hmac-sha256-hex", language, HARD_TOKEN
        )


def test_an_unsigned_platform_has_no_code(db: None) -> None:
    assert render_code_samples("none", header="") == []
    assert Platform.objects.get(pk="cleeng").rules.signature.scheme == "none"
