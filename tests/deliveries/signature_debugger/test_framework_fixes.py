"""The lines that the signature debugger hands out, run where their language is installed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from deliveries.signature_debugger.findings import FINDING_TEXTS
from deliveries.signature_debugger.framework_fixes import (
    FRAMEWORKS,
    fixes,
    guess_frameworks,
    signature_expression,
)
from deliveries.signing.signature import signature_headers
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.platforms.rules import SignatureRules
from tests.node import Node

SCHEMES = ("hmac-sha256-hex", "hmac-sha256-base64", "standard")
BODY = '{"key":"Größe"}'
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def signature(scheme: str, token: str) -> str:
    header = "" if scheme == "standard" else "X-Signature"
    headers = signature_headers(
        signature=SignatureRules(scheme, header, "typed", "text", ()),
        choice=None,
        tokens=TokenPair(token),
        event_id="evt_1",
        body=BODY.encode(),
        sent_at=datetime.fromtimestamp(1_795_262_400, UTC),
    )
    return headers[-1][1].removeprefix("v1,")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("token", ["a plain token", WHSEC])
def test_the_python_line_makes_the_right_signature(scheme: str, token: str) -> None:
    line = signature_expression("python", scheme, is_whsec=token == WHSEC)
    names: dict[str, object] = {"hmac": hmac, "hashlib": hashlib, "base64": base64}
    names |= {"token": token, "body": BODY.encode(), "id": "evt_1", "timestamp": "1795262400"}
    assert eval(line, names) == signature(scheme, token)


@pytest.mark.node
def test_the_node_line_makes_the_right_signature() -> None:
    script = """
    const crypto = require('crypto');
    function answer(q) {
      const { token, body } = q, id = 'evt_1', timestamp = '1795262400';
      return eval(q.line);
    }
    """
    with Node(script) as node:
        for scheme in SCHEMES:
            for token in ("a plain token", WHSEC):
                line = signature_expression("node", scheme, is_whsec=token == WHSEC)
                made = node.ask({"line": line, "token": token, "body": BODY})
                assert made == signature(scheme, token)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_each_framework_has_a_line_for_each_kind_of_mistake(name: str) -> None:
    for kind in {words.fix for words in FINDING_TEXTS.values()} - {"", "clock"}:
        for scheme in SCHEMES:
            header = "X-Clawget-Signature"
            (fix,) = fixes([name], kind=kind, scheme=scheme, header=header, is_whsec=True)
            assert fix.framework == FRAMEWORKS[name].title
            for place in ("{name}", "{lower}", "{upper}", "{key}", "{signed}"):
                assert place not in fix.code
            if kind == "header":
                assert header.lower() in fix.code.lower().replace("_", "-")


@pytest.mark.parametrize(
    ("chosen", "style", "header", "code", "expected"),
    [
        ("go", "php", "X-Vercel-Id", "python-json", ("go",)),
        ("", "php", "X-Vercel-Id", "python-json", ("flask", "django", "fastapi")),
        ("", "php", "X-Vercel-Id", "right", ("nextjs",)),
        ("", "lines", "X-Amzn-Trace-Id", "right", ("lambda",)),
        ("", "php", "Host", "right", ("php", "laravel", "symfony")),
        ("", "rack", "Host", "right", ("rails",)),
        ("", "lines", "Host", "right", ()),
        ("cobol", "lines", "Host", "right", ()),
    ],
)
def test_the_framework_is_told_by_choice_then_body_then_headers(
    chosen: str, style: str, header: str, code: str, expected: tuple[str, ...]
) -> None:
    names, by = guess_frameworks(chosen=chosen, style=style, headers=[(header, "1")], code=code)
    assert names == expected
    assert bool(by) == bool(expected)
