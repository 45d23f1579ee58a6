"""Does a received request carry a good signature? A receiver's side of signing, as values.

One request may carry two signatures: the platform's own header and those of Standard Webhooks.
All that are there must be good.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from subscriptions.endpoints.signing_token_format import decode_key
from subscriptions.platforms.rules import SignatureRules

# Standard Webhooks 1.0.0, "Verifying the timestamp": five minutes is what its libraries allow.
TOLERANCE = timedelta(minutes=5)
STANDARD_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A signing token in plain text, with words that tell it from others without showing it."""

    label: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """`ok` is None where nothing is signed. `by` names what fitted, `reason` says why it is so."""

    ok: bool | None
    by: str
    reason: str


def verify(
    *,
    signature: SignatureRules,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    tokens: Sequence[KnownToken],
    now: datetime,
) -> Verified:
    """Check the signatures over the body's raw bytes, each against every token."""
    given = {name.lower(): value.strip() for name, value in headers}
    own = signature.header.lower()
    checks: list[Verified] = []
    if own and own in given:
        checks.append(_own(signature, given[own], body, tokens))
    # Cryptlex's own header has the name of one of these.
    if any(name in given for name in STANDARD_HEADERS if name != own):
        checks.append(_standard(given, body, tokens, now))
    if not checks:
        return _unsigned(signature)
    for check in checks:
        if not check.ok:
            return check
    return Verified(
        True,
        "; ".join(check.by for check in checks),
        " ".join(check.reason for check in checks),
    )


def _unsigned(signature: SignatureRules) -> Verified:
    if signature.scheme == "none":
        return Verified(None, "", "This platform sends no signature unless it is switched on.")
    name = signature.header or "webhook-signature"
    if "none" in signature.optional:
        return Verified(None, "", f"There is no {name} header: the webhook has it switched off.")
    return Verified(False, "", f"The header {name} is missing.")


def _own(
    signature: SignatureRules, value: str, body: bytes, tokens: Sequence[KnownToken]
) -> Verified:
    name = signature.header
    is_hex = signature.scheme == "hmac-sha256-hex"
    digest = _hex(value) if is_hex else _base64(value)
    if digest is None:
        form = "64 lower-case hex characters" if is_hex else "the base64 of 32 bytes"
        return Verified(False, "", f"The value of {name} is not {form}.")
    for known in tokens:
        if hmac.compare_digest(hmac.digest(known.token.encode(), body, "sha256"), digest):
            return Verified(True, f"{name} with {known.label}", f"{name} fits the raw body.")
    return Verified(False, "", _no_token_fits(name, tokens))


def _standard(
    given: dict[str, str], body: bytes, tokens: Sequence[KnownToken], now: datetime
) -> Verified:
    missing = [name for name in STANDARD_HEADERS if not given.get(name)]
    if missing:
        return Verified(False, "", f"The header {missing[0]} is missing.")
    fault = _timestamp_fault(given["webhook-timestamp"], now)
    if fault:
        return Verified(False, "", fault)
    signed = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
    versions = [part.partition(",") for part in given["webhook-signature"].split()]
    digests = [_base64(value) for version, _, value in versions if version == "v1"]
    if not any(digests):
        return Verified(False, "", "webhook-signature has no part of the form v1,<base64>.")
    for known in tokens:
        expected = hmac.digest(decode_key(known.token), signed, "sha256")
        if any(digest and hmac.compare_digest(expected, digest) for digest in digests):
            by = f"webhook-signature with {known.label}"
            return Verified(True, by, "webhook-signature fits id, timestamp and raw body.")
    return Verified(False, "", _no_token_fits("webhook-signature", tokens))


def _timestamp_fault(text: str, now: datetime) -> str:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        return "webhook-timestamp is not a whole number of Unix seconds."
    # Whole seconds: twelve digits are beyond the years that a datetime has.
    away_seconds = int(now.timestamp()) - int(text)
    if abs(away_seconds) <= TOLERANCE.total_seconds():
        return ""
    side = "old" if away_seconds > 0 else "ahead of this clock"
    return f"webhook-timestamp is {abs(away_seconds)} seconds {side}: over the 5 minutes allowed."


def _no_token_fits(name: str, tokens: Sequence[KnownToken]) -> str:
    if not tokens:
        return f"{name} is there, and no webhook with a signing token points here."
    return f"{name} does not fit the raw body under any of the {len(tokens)} tokens tried."


def _hex(value: str) -> bytes | None:
    return bytes.fromhex(value) if re.fullmatch(r"[0-9a-f]{64}", value) else None


def _base64(value: str) -> bytes | None:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Spare bits that are set would make a second spelling of the same bytes: we send only one.
    is_canonical = base64.b64encode(digest).decode() == value
    return digest if is_canonical and len(digest) == _SHA256_BYTES else None
