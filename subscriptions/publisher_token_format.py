"""The form of a publisher token: `whp_`, 40 random characters, and 6 of checksum.

The prefix lets secret scanners find a token that has leaked. The checksum lets them, and us, tell
a typing error without asking the database.
"""

from __future__ import annotations

import secrets
import string
import zlib

from subscriptions.identifiers import encode_base32

PREFIX = "whp_"
RANDOM_CHARACTERS = 40
_LETTERS = string.ascii_letters + string.digits


def generate_publisher_token() -> str:
    """A new random token, of 238 bits."""
    secret = "".join(secrets.choice(_LETTERS) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + secret + _checksum(secret)


def has_publisher_token_form(text: str) -> bool:
    """Whether the text can be a publisher token at all: prefix, length, checksum."""
    body = text.removeprefix(PREFIX)
    secret, checksum = body[:RANDOM_CHARACTERS], body[RANDOM_CHARACTERS:]
    return (
        text.startswith(PREFIX)
        and len(body) == RANDOM_CHARACTERS + 6
        and body.isascii()
        and secrets.compare_digest(_checksum(secret), checksum)
    )


def _checksum(secret: str) -> str:
    return encode_base32(zlib.crc32(secret.encode()), 7)[-6:]
