"""What may happen to a body between signing and verifying: applies each known change."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from deliveries.signature_debugger.json_dialects import compact, rewrite_json
from subscriptions.strict_json import MAX_NESTING, is_nested_deeper

_BOM = b"\xef\xbb\xbf"
_CONTEXT_BYTES = 28


class Change(NamedTuple):
    """A change. code: of the finding. how: in words. body: after the change, or before it."""

    code: str
    how: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two bodies differ first. The texts are around that byte; … marks what is cut off."""

    offset: int
    before: str
    received: str
    original: str
    received_bytes: int
    original_bytes: int


def find_difference(received: bytes, original: bytes) -> Difference | None:
    """Find the first byte that differs, with the text before and after it; None for equal bodies."""
    if received == original:
        return None
    pairs = zip(received, original, strict=False)
    shorter = min(len(received), len(original))
    offset = next((at for at, (one, two) in enumerate(pairs) if one != two), shorter)
    start = max(0, offset - _CONTEXT_BYTES)
    return Difference(
        offset=offset,
        before=("…" if start else "") + _visible_text(received[start:offset]),
        received=_excerpt(received, offset),
        original=_excerpt(original, offset),
        received_bytes=len(received),
        original_bytes=len(original),
    )


def _excerpt(body: bytes, offset: int) -> str:
    part = body[offset : offset + _CONTEXT_BYTES]
    return (
        _visible_text(part) + ("…" if offset + len(part) < len(body) else "") if part else "(end)"
    )


def _visible_text(part: bytes) -> str:
    """The text, with bytes that are no UTF-8 as \\xNN, and line ends made visible."""
    text = part.decode("utf-8", "backslashreplace")
    return text.replace("\r", "␍").replace("\n", "␊").replace("\t", "␉")


def transformations(original: bytes) -> Iterator[Change]:
    """Yield every known change that alters the body."""
    for change in (*_json_transformations(original), *_text_transformations(original)):
        if change.body != original:
            yield change


def parse_body(body: bytes) -> Any:
    """Return the JSON value; None if it is no JSON, or nested deeper than our bodies are."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return None if is_nested_deeper(value, MAX_NESTING + 1) else value


def _json_transformations(original: bytes) -> Iterator[Change]:
    value = parse_body(original)
    if not isinstance(value, dict | list):
        return
    for code, how, text in rewrite_json(value):
        yield Change(code, how, _bytes(text))
    yield Change("python-repr", "Python's str() of the parsed body", _bytes(repr(value)))
    if isinstance(value, dict):
        for key, part in value.items():
            if isinstance(part, dict | list | str):
                how = f"only its field {key} was taken"
                yield Change("part-of-body", how, _bytes(compact(part)))
                yield Change("part-of-body", how, _bytes(json.dumps(part)))
    yield from _stringifications(original)


def _stringifications(original: bytes) -> Iterator[Change]:
    listed = {"type": "Buffer", "data": list(original)}
    yield Change("node-buffer", "JSON.stringify of a Buffer", _bytes(compact(listed)))
    for text in ("[object Object]", "[object Buffer]", ",".join(map(str, original))):
        yield Change("object-object", f"JavaScript's String() gave {text[:15]}", _bytes(text))
    for text in ("", "{}", "null", "undefined", '""', "[]"):
        yield Change("empty-body", "it was read before, and nothing was left", _bytes(text))
    if (plain := _decode(original)) is not None:
        for ascii_only in (True, False):
            inner = json.dumps(plain, ensure_ascii=ascii_only)
            yield Change("double-encoded", "the text was made JSON once more", _bytes(inner))
            yield Change("double-encoded", "its quotes were escaped", _bytes(inner[1:-1]))
        yield Change("quotes-lost", "a shell took its quotes", _bytes(plain.replace('"', "")))


def _text_transformations(original: bytes) -> Iterator[Change]:
    for end, word in ((b"\n", "LF"), (b"\r\n", "CR LF"), (b"\n\n", "two LF")):
        yield Change("trailing-newline", f"a line end ({word}) was added", original + end)
    for space in (b" ", b"\t", b"\n"):
        yield Change("surrounding-space", "white space was put before it", space + original)
    yield Change("surrounding-space", "a space was put after it", original + b" ")
    yield Change("surrounding-space", "white space around it was cut", original.strip())
    yield Change("trailing-nul", "a zero byte was added", original + b"\0")
    yield Change("byte-order-mark", "a byte order mark was put before it", _BOM + original)
    lf = original.replace(b"\r\n", b"\n")
    yield Change("line-endings", "CR LF became LF", lf)
    yield Change("line-endings", "LF became CR LF", lf.replace(b"\n", b"\r\n"))
    yield Change("form-encoded", "it was sent as a form", quote(original).encode() + b"=")
    for encode in (quote_plus, quote):
        for name in ("", "payload=", "body=", "data=", "json="):
            text = name + encode(original)
            yield Change("form-encoded", "it was sent as a form", text.encode())
    yield Change("base64-body", "it was written in base64", base64.b64encode(original))
    yield Change("hex-body", "it was written in hexadecimal", original.hex().encode())
    yield Change("python-bytes-repr", "Python's str() of bytes", _bytes(repr(original)))
    plain = _decode(original)
    if plain is None:
        return
    for quotes in (True, False):
        escaped = html.escape(plain, quote=quotes)
        yield Change("html-escaped", "it was escaped for HTML", _bytes(escaped))
    yield from _reencodings(plain)


def _reencodings(text: str) -> Iterator[Change]:
    for name in ("latin-1", "cp1252"):
        with contextlib.suppress(UnicodeEncodeError):
            yield Change("latin-1", f"it was written as {name}, not UTF-8", text.encode(name))
        with contextlib.suppress(UnicodeDecodeError):
            how = f"its UTF-8 was read as {name} and written as UTF-8"
            yield Change("mojibake", how, _bytes(_bytes(text).decode(name)))
    lost = "characters beyond ASCII were lost"
    yield Change("lost-characters", lost, text.encode("ascii", "replace"))
    yield Change("lost-characters", lost, text.encode("ascii", "ignore"))
    yield Change("lost-characters", lost, _bytes(_bytes(text).decode("ascii", "replace")))
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        how = f"its Unicode was normalised to {form}"
        yield Change("unicode-normalised", how, _bytes(unicodedata.normalize(form, text)))
    for name in ("utf-16", "utf-16-le", "utf-16-be"):
        yield Change("utf-16", f"it was written as {name}", text.encode(name, "surrogatepass"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
