"""The form of signing tokens: generated, checked when typed, and decoded to an HMAC key."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from subscriptions.errors import Refused

WHSEC_FORMAT = "whsec"
WHSEC_PREFIX = "whsec_"
GENERATED_BYTES = 32
# Standard Webhooks 1.0.0, "Signature scheme": 192 to 512 bits.
MIN_WHSEC_BYTES = 24
MAX_WHSEC_BYTES = 64
MIN_TEXT_CHARACTERS = 8
MAX_TEXT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An endpoint's signing tokens in plain text; `previous` only while its overlap runs."""

    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)


def generate_token(token_format: str) -> str:
    """A new random token of 256 bits: `whsec_` and base64, or 43 URL-safe characters ("text")."""
    if token_format == WHSEC_FORMAT:
        return WHSEC_PREFIX + base64.b64encode(secrets.token_bytes(GENERATED_BYTES)).decode()
    return secrets.token_urlsafe(GENERATED_BYTES)


def check_token(token: str, token_format: str) -> None:
    """Raise Refused unless a typed token fits `token_format` ("text" or "whsec").

    The error says what is wrong without repeating the token.
    """
    fault = _find_whsec_fault(token) if token_format == WHSEC_FORMAT else _find_text_fault(token)
    if fault:
        raise Refused(fault, code="token_invalid", pointer="/token")


def decode_key(token: str) -> bytes:
    """The HMAC key of a token under Standard Webhooks: a `whsec_` one decoded, else its UTF-8."""
    key = _decode_whsec(token)
    return token.encode() if key is None else key


def _decode_whsec(token: str) -> bytes | None:
    """The 24 to 64 bytes of a well-formed `whsec_` token, or None."""
    if not token.startswith(WHSEC_PREFIX):
        return None
    text = token.removeprefix(WHSEC_PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 decoders differ on unused bits: only the spelling that all decode alike is taken.
    is_canonical = base64.b64encode(key).decode() == text
    return key if is_canonical and MIN_WHSEC_BYTES <= len(key) <= MAX_WHSEC_BYTES else None


def _find_whsec_fault(token: str) -> str:
    if _decode_whsec(token) is not None:
        return ""
    return (
        f"The token must be {WHSEC_PREFIX} followed by the padded base64 of {MIN_WHSEC_BYTES} to "
        f"{MAX_WHSEC_BYTES} bytes: leave it empty to have one made."
    )


def _find_text_fault(token: str) -> str:
    if not MIN_TEXT_CHARACTERS <= len(token) <= MAX_TEXT_CHARACTERS:
        return (
            f"The token has {len(token)} characters: give {MIN_TEXT_CHARACTERS} to "
            f"{MAX_TEXT_CHARACTERS}."
        )
    if token != token.strip():
        return "The token starts or ends with a space: leave the space out."
    for position, character in enumerate(token, start=1):
        if not character.isprintable():
            return (
                f"Character {position} of the token cannot be printed: give letters, digits, "
                "punctuation and spaces only."
            )
    return ""
