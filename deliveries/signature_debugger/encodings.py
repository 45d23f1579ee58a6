"""Reads a digest however it is written: hex, base64, with prefixes or quotes, encoded twice."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote

# MD5, SHA-1, SHA-256, SHA-384, SHA-512: bytes of another length are no digest.
DIGEST_SIZES = frozenset((16, 20, 32, 48, 64))
_MAX_STEPS = 3
_PREFIX = re.compile(
    r"(?:(?:hmac[-_]?)?sha-?(?:1|256|384|512)|md5|v0|v1a?|v2|s|sig|signature)\s*[=,:]\s*(.+)", re.I
)
_STAMPED = re.compile(r"t=\d+,\s*v1=([0-9a-f]+)", re.I)
_NAMED = re.compile(r"[A-Za-z][\w-]*signature[\w-]*\s*:\s*(.+)", re.I)

Codes = tuple[str, ...]


def parse_exact(scheme: str, value: str) -> bytes | None:
    """Return the digest if the value is written exactly as the scheme writes it.

    For Standard Webhooks the value is one of the parts of the header.
    """
    if scheme == "hmac-sha256-hex":
        return bytes.fromhex(value) if re.fullmatch(r"[0-9a-f]{64}", value) else None
    if scheme == "standard":
        version, comma, value = value.partition(",")
        if (version, comma) != ("v1", ","):
            return None
    return _decode_canonical_base64(value)


def possible_digests(scheme: str, value: str) -> dict[bytes, Codes]:
    """Return every digest that the text may stand for, with what is wrong with its form.

    An empty tuple means the right form. A value with several signatures gives all of them.
    """
    found: dict[bytes, Codes] = {}
    for part in value.split() if scheme == "standard" else [value]:
        for digest, codes in _unwrap(scheme, part):
            if digest not in found or len(codes) < len(found[digest]):
                found[digest] = codes
    if scheme == "standard" and not found:
        found.update(_unwrap(scheme, value))
    return found


def _unwrap(scheme: str, value: str) -> Iterator[tuple[bytes, Codes]]:
    if (digest := parse_exact(scheme, value)) is not None:
        yield digest, ()
    texts: list[tuple[str, Codes]] = [(value, ())]
    seen = {value}
    for _ in range(_MAX_STEPS):
        for text, codes in texts:
            for digest, code in _decode_digest(scheme, text):
                yield digest, _form_codes(scheme, codes, code)
        texts = list(_peel_all(texts, seen))


def _peel_all(texts: Iterable[tuple[str, Codes]], seen: set[str]) -> Iterator[tuple[str, Codes]]:
    """Yield each text with one wrapping less, unless it has been `seen`; mark it as seen."""
    for text, codes in texts:
        for code, inner in _peel(text):
            if inner not in seen:
                seen.add(inner)
                yield inner, (*codes, code)


def _form_codes(scheme: str, codes: Codes, code: str) -> Codes:
    """Add the code: the scheme's own prefix is no mistake, and its absence is one."""
    if "form-twice" in codes:
        code = ""  # what was encoded twice is not blamed for its inner form
    if scheme != "standard":
        return (*codes, code) if code else codes
    had_prefix = "form-prefix" in codes
    rest = tuple(each for each in codes if each != "form-prefix")
    if code:
        return (*rest, code)
    return rest if rest else ("form-prefix-other",) if had_prefix else ("form-prefix-missing",)


def _decode_digest(scheme: str, text: str) -> Iterator[tuple[bytes, str]]:
    wants_hex = scheme == "hmac-sha256-hex"
    with contextlib.suppress(ValueError):
        digest = bytes.fromhex(text)
        if len(digest) in DIGEST_SIZES and text.isalnum():
            is_lower = text == text.lower()
            yield digest, ("" if is_lower else "form-upper") if wants_hex else "form-hex"
    if plain := _digest_from_base64(text):
        yield plain, "form-base64" if wants_hex else ""
        return
    for code, spelling in (
        ("form-unpadded", text + "=" * (-len(text) % 4)),
        ("form-base64url", _from_url_safe(text)),
        ("form-plus-lost", text.replace(" ", "+")),
        ("form-percent", unquote(text)),
    ):
        if plain := _digest_from_base64(spelling):
            yield plain, "form-base64" if wants_hex else code
            return
    with contextlib.suppress(binascii.Error, ValueError):
        digest = base64.b64decode(text, validate=True)
        if len(digest) in DIGEST_SIZES:
            yield digest, "form-last-character"


def _digest_from_base64(text: str) -> bytes | None:
    digest = _decode_canonical_base64(text)
    return digest if digest and len(digest) in DIGEST_SIZES else None


def _from_url_safe(text: str) -> str:
    return text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)


def _decode_canonical_base64(text: str) -> bytes | None:
    """Decode base64 in its only canonical spelling, with the spare bits unset; else None."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if base64.b64encode(digest).decode() == text else None


def _peel(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text without one of its wrappings, and the code of the mistake."""
    for code, peel in _PEELS:
        with contextlib.suppress(ValueError):
            if (after := peel(text)) and after != text:
                yield code, after


def _remove_prefix(text: str) -> str:
    found = _STAMPED.search(text) or _PREFIX.fullmatch(text)
    return found[1] if found else ""


def _remove_quotes(text: str) -> str:
    inner = re.fullmatch(r"""b?(['"])(.*)\1,?;?""", text, re.DOTALL)
    return inner[2] if inner else ""


def _remove_repetition(text: str) -> str:
    parts = [part.strip() for part in text.split(",")]
    return parts[0] if len(parts) > 1 and len(set(parts)) == 1 else ""


def _decode_once_more(text: str) -> str:
    """Decode base64 of hex digits, or hex of a base64 text; "" if it is neither."""
    for decode in (_decode_canonical_base64, bytes.fromhex):
        with contextlib.suppress(ValueError):
            inner = (decode(text) or b"").decode("ascii")
            if re.fullmatch(r"[0-9A-Fa-f]{32,128}|[A-Za-z0-9+/_-]{22,88}={0,2}", inner):
                return inner
    return ""


_PEELS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("form-whitespace", lambda text: re.sub(r"\s", "", text)),
    ("form-prefix", _remove_prefix),
    ("form-quotes", _remove_quotes),
    ("form-name", lambda text: found[1] if (found := _NAMED.fullmatch(text)) else ""),
    ("form-percent", lambda text: unquote(text) if "%" in text else ""),
    ("form-repeated", _remove_repetition),
    ("form-twice", _decode_once_more),
)
