"""Requests of each platform as a receiver has them, right ones and ones that were changed."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from deliveries.payload.canonical_json import canonical
from deliveries.signature_debugger.case import Case
from deliveries.signature_debugger.search import CandidateToken
from deliveries.signing.signature import signature_headers
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.platforms.files import PLATFORMS_DIR, read_platform_file

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DATA = {
    "review_id": "rev_1",
    "comment": "Größe – 日本 a/b <c> é",
    "amount": 475.5,
    "total": 1000,
    "tags": {},
    "url": "https://example.com/a?b=1&c=2",
}
EVENT = {"type": "review.created", "id": "evt_abc123", "created": 1795262400, "data": DATA}
BODY = canonical(EVENT).encode()
TEXT_TOKEN = "kX9-fresh_token/of+the=shop7"
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
RULES = {
    name: read_platform_file(Path(PLATFORMS_DIR) / f"{name}.toml").rules.signature
    for name in ("clawget", "cryptlex", "standard", "cleeng", "cleverpush")
}
CLAWGET, CRYPTLEX = "X-Clawget-Signature", "Webhook-Signature"


def token_of(platform: str) -> str:
    return WHSEC if platform in ("standard", "cleeng", "cleverpush") else TEXT_TOKEN


def headers_of(
    platform: str,
    *,
    token: str = "",
    choice: str | None = None,
    previous: str | None = None,
    body: bytes = BODY,
    age: timedelta = timedelta(0),
) -> dict[str, str]:
    """As deliveries.signing.signature signs a delivery."""
    signed = signature_headers(
        signature=RULES[platform],
        choice=choice,
        tokens=TokenPair(token or token_of(platform), previous),
        event_id="evt_abc123",
        body=body,
        sent_at=NOW - age,
    )
    return {"Content-Type": "application/json", **dict(signed)}


def case(
    platform: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = BODY,
    tokens: tuple[CandidateToken, ...] | None = None,
    **fields: Any,
) -> Case:
    if tokens is None:
        tokens = (CandidateToken("the token …shop of Shop", token_of(platform)),)
    given = headers_of(platform) if headers is None else headers
    return Case(
        **{
            "signature": RULES[platform],
            "choice": None,
            "headers": tuple(given.items()),
            "body": body,
            "tokens": tokens,
            "now": NOW,
        }
        | fields
    )


def changed(platform: str, body: bytes, **fields: Any) -> Case:
    """The receiver pastes what its code made of the body."""
    return case(platform, body=body, **fields)


def computed(platform: str, text: str, **fields: Any) -> Case:
    """The receiver pastes the right request, and what its code computed."""
    return case(platform, computed=text, **fields)


def python_hmac(key: bytes, message: bytes, name: str = "sha256") -> bytes:
    return hmac.new(key, message, name).digest()


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def standard_signed(key: bytes = b"", *, message: bytes = b"", stamp: str = "") -> str:
    headers = headers_of("standard")
    prefix = f"{headers['webhook-id']}.{stamp or headers['webhook-timestamp']}."
    key = key or base64.b64decode(WHSEC.removeprefix("whsec_"))
    return "v1," + b64(python_hmac(key, message or prefix.encode() + BODY))


Ask = Callable[..., str]


class Way(NamedTuple):
    """`by` says what made the mistake; `make` gets something to ask Node with."""

    name: str
    by: str
    make: Callable[[Ask], Case]
    code: str


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in headers.items() if each != name}


def renamed(platform: str, old: str, new: str) -> dict[str, str]:
    headers = headers_of(platform)
    return {new if each == old else each: value for each, value in headers.items()}
