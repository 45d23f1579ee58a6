"""The ways in which one digest is written: hex, base64, prefixes, quotes, and what they hide."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

# MD5, SHA-1, SHA-256, SHA-384, SHA-512: of another length is no digest.
DIGEST_SIZES = frozenset((16, 20, 32, 48, 64))
_MAX_STEPS = 3
_PREFIX = re.compile(
    r"(?:(?:hmac[-_]?)?sha-?(?:1|256|384|512)|md5|v0|v1a?|v2|s|sig|signature)\s*[=,:]\s*(.+)", re.I
)
_STAMPED = re.compile(r"t=\d+,\s*v1=([0-9a-f]+)", re.I)
_NAMED = re.compile(r"[A-Za-z][\w-]*signature[\w-]*\s*:\s*(.+)", re.I)

Codes = tuple[str, ...]


def right_form(scheme: str, value: str) -> bytes | None:
    """The digest where the value is written just as the scheme writes it; `standard`: one part."""
    if scheme == "hmac-sha256-hex":
        return bytes.fromhex(value) if re.fullmatch(r"[0-9a-f]{64}", value) else None
    if scheme == "standard":
        version, comma, value = value.partition(",")
        if (version, comma) != ("v1", ","):
            return None
    return _canonical_base64(value)


def digests(scheme: str, value: str) -> dict[bytes, Codes]:
    """Every digest that the text may stand for, with what is wrong with its form for the scheme.

    An empty tuple is the right form. Of several signatures in one value all are there.
    """
    found: dict[bytes, Codes] = {}
    for part in value.split() if scheme == "standard" else [value]:
        for digest, codes in _unwrapped(scheme, part):
            if digest not in found or len(codes) < len(found[digest]):
                found[digest] = codes
    if scheme == "standard" and not found:
        found.update(_unwrapped(scheme, value))
    return found


def _unwrapped(scheme: str, value: str) -> Iterator[tuple[bytes, Codes]]:
    if (digest := right_form(scheme, value)) is not None:
        yield digest, ()
    texts: list[tuple[str, Codes]] = [(value, ())]
    seen = {value}
    for _ in range(_MAX_STEPS):
        for text, codes in texts:
            for digest, code in _decoded(scheme, text):
                yield digest, _told(scheme, codes, code)
        texts = [
            (after, (*codes, code))
            for text, codes in texts
            for code, after in _peeled(text)
            if after not in seen and not seen.add(after)  # type: ignore[func-returns-value]
        ]


def _told(scheme: str, codes: Codes, code: str) -> Codes:
    """The scheme's own prefix is no mistake, and its absence is one."""
    if "form-twice" in codes:
        code = ""  # what was encoded twice is not blamed for its inner form
    if scheme != "standard":
        return (*codes, code) if code else codes
    had_prefix = "form-prefix" in codes
    rest = tuple(each for each in codes if each != "form-prefix")
    if code:
        return (*rest, code)
    return rest if rest else ("form-prefix-other",) if had_prefix else ("form-prefix-missing",)


def _decoded(scheme: str, text: str) -> Iterator[tuple[bytes, str]]:
    wants_hex = scheme == "hmac-sha256-hex"
    with contextlib.suppress(ValueError):
        digest = bytes.fromhex(text)
        if len(digest) in DIGEST_SIZES and text.isalnum():
            is_lower = text == text.lower()
            yield digest, ("" if is_lower else "form-upper") if wants_hex else "form-hex"
    if plain := _digest(text):
        yield plain, "form-base64" if wants_hex else ""
        return
    for code, spelling in (
        ("form-unpadded", text + "=" * (-len(text) % 4)),
        ("form-base64url", _from_url_safe(text)),
        ("form-plus-lost", text.replace(" ", "+")),
        ("form-percent", unquote(text)),
    ):
        if plain := _digest(spelling):
            yield plain, "form-base64" if wants_hex else code
            return
    with contextlib.suppress(binascii.Error, ValueError):
        digest = base64.b64decode(text, validate=True)
        if len(digest) in DIGEST_SIZES:
            yield digest, "form-last-character"


def _digest(text: str) -> bytes | None:
    digest = _canonical_base64(text)
    return digest if digest and len(digest) in DIGEST_SIZES else None


def _from_url_safe(text: str) -> str:
    return text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)


def _canonical_base64(text: str) -> bytes | None:
    """The one spelling of 32 bytes and other digests: spare bits that are set make another."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if base64.b64encode(digest).decode() == text else None


def _peeled(text: str) -> Iterator[tuple[str, str]]:
    """The text with one wrapping off, and the mistake's code."""
    for code, peel in _PEELS:
        with contextlib.suppress(ValueError):
            if (after := peel(text)) and after != text:
                yield code, after


def _prefix_off(text: str) -> str:
    found = _STAMPED.search(text) or _PREFIX.fullmatch(text)
    return found[1] if found else ""


def _quotes_off(text: str) -> str:
    inner = re.fullmatch(r"""b?(['"])(.*)\1,?;?""", text, re.DOTALL)
    return inner[2] if inner else ""


def _once(text: str) -> str:
    parts = [part.strip() for part in text.split(",")]
    return parts[0] if len(parts) > 1 and len(set(parts)) == 1 else ""


def _inner(text: str) -> str:
    """base64 of the hex digits, or hex of the base64 text."""
    for decode in (_canonical_base64, bytes.fromhex):
        with contextlib.suppress(ValueError):
            inner = (decode(text) or b"").decode("ascii")
            if re.fullmatch(r"[0-9A-Fa-f]{32,128}|[A-Za-z0-9+/_-]{22,88}={0,2}", inner):
                return inner
    return ""


_PEELS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("form-whitespace", lambda text: re.sub(r"\s", "", text)),
    ("form-prefix", _prefix_off),
    ("form-quotes", _quotes_off),
    ("form-name", lambda text: found[1] if (found := _NAMED.fullmatch(text)) else ""),
    ("form-percent", lambda text: unquote(text) if "%" in text else ""),
    ("form-repeated", _once),
    ("form-twice", _inner),
)
