"""The signature headers of one request."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

from subscriptions.endpoints.signing_token_format import TokenPair, decode_key
from subscriptions.platforms.rules import SignatureRules

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Headers = list[tuple[str, str]]


class SigningError(ValueError):
    """A request that must not leave, because it cannot be signed as it should be."""


def signature_headers(
    *,
    signature: SignatureRules,
    choice: str | None,
    tokens: TokenPair | None,
    event_id: str,
    body: bytes,
    sent_at: datetime,
) -> Headers:
    """The headers to add, for the bytes exactly as they are sent.

    `choice` is Endpoint.signature: None for the platform's own scheme, "none" for no headers,
    "standard" for the Standard Webhooks headers besides the platform's own. `tokens` may be None
    only where nothing is signed. Raises SigningError rather than leave a signature out.
    """
    if choice not in (None, signature.scheme, *signature.optional):
        raise SigningError(f"Signature {choice!r} is not one that this platform allows.")
    if choice == "none" or (choice is None and signature.scheme == "none"):
        return []
    if tokens is None or not tokens.current:
        raise SigningError("The endpoint has no signing token: give it one, or rotate it.")
    headers = _own_headers(signature, tokens, body)
    if "standard" in (choice, signature.scheme):
        headers += _standard_headers(tokens, event_id, body, sent_at)
    return headers


def _own_headers(signature: SignatureRules, tokens: TokenPair, body: bytes) -> Headers:
    # One header carries one signature: the old token signs until the switch-over the user chose.
    key = (tokens.previous or tokens.current).encode()
    match signature.scheme:
        case "hmac-sha256-hex":
            return [(signature.header, hmac.digest(key, body, "sha256").hex())]
        case "hmac-sha256-base64":
            return [(signature.header, _base64_hmac(key, body))]
        case "none" | "standard":
            return []
    raise SigningError(f"Signature scheme {signature.scheme!r} is not known.")


def _standard_headers(tokens: TokenPair, event_id: str, body: bytes, sent_at: datetime) -> Headers:
    """Standard Webhooks 1.0.0; while two tokens live, one signature of each, newest first."""
    timestamp = str((sent_at - EPOCH) // timedelta(seconds=1))
    signed = f"{event_id}.{timestamp}.".encode() + body
    keys = [decode_key(token) for token in (tokens.current, tokens.previous) if token]
    return [
        ("webhook-id", event_id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", " ".join(f"v1,{_base64_hmac(key, signed)}" for key in keys)),
    ]


def _base64_hmac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")
