"""What a body may have been before something changed it: reverts each known change."""

from __future__ import annotations

import ast
import base64
import binascii
import contextlib
import html
import json
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from deliveries.payload.canonical_json import JSONError, canonical, parse_json
from deliveries.signature_debugger.json_dialects import compact
from deliveries.signature_debugger.transformations import Change

# The size that a small compressed body may expand to.
MAX_BYTES = 1024 * 1024
_MAX_LITERAL_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def possible_originals(received: bytes) -> Iterator[Change]:
    """Yield what the body may have been, and each also as canonical JSON, since that is what we send."""
    seen = {received}
    again = _canonical(received)
    if again is not None and again not in seen:
        seen.add(again)
        yield Change("rewritten-json", "parsed and written anew", again)
    for change in _single_steps(received):
        if change.body in seen:
            continue
        seen.add(change.body)
        yield change
        again = _canonical(change.body)
        if again is not None and again not in seen:
            seen.add(again)
            yield Change(change.code, f"{change.how}, parsed and written anew", again)


def _single_steps(received: bytes) -> Iterator[Change]:
    for code, invert in _INVERSES:
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError, zlib.error):
            yield from (Change(code, f"{code} undone", body) for body in invert(received))


def _canonical(body: bytes) -> bytes | None:
    if body[:1] not in (b"{", b"["):
        return None
    try:
        return canonical(parse_json(body)).encode()
    except (JSONError, RecursionError):
        return None


def _without_line_end(body: bytes) -> Iterator[bytes]:
    yield body.removesuffix(b"\n").removesuffix(b"\r")
    yield body.rstrip(b"\r\n")


def _line_ends(body: bytes) -> Iterator[bytes]:
    lf = body.replace(b"\r\n", b"\n")
    yield from (lf, lf.replace(b"\n", b"\r\n"))


def _form_decoded(body: bytes) -> Iterator[bytes]:
    for text in (body.replace(b"+", b" "), body):
        plain = unquote_to_bytes(text)
        yield plain
        yield plain.removesuffix(b"=")
        name, equals, value = text.partition(b"=")
        if equals and re.fullmatch(rb"\w{1,30}", name):
            yield unquote_to_bytes(value)


def _inner_text(body: bytes) -> Iterator[bytes]:
    for text in (body, b'"' + body + b'"'):
        with contextlib.suppress(ValueError):
            if isinstance(value := json.loads(text), str):
                yield _bytes(value)


def _evaluate(body: bytes) -> Any:
    """Evaluate a short Python literal: parsing a long one takes a hundred times its size."""
    return ast.literal_eval(body.decode()) if len(body) <= _MAX_LITERAL_BYTES else None


def _bytes_literal(body: bytes) -> Iterator[bytes]:
    value = _evaluate(body)
    if isinstance(value, bytes):
        yield value


def _python_value(body: bytes) -> Iterator[bytes]:
    value = _evaluate(body)
    if isinstance(value, dict | list):
        yield _bytes(compact(value))


def _node_buffer(body: bytes) -> Iterator[bytes]:
    value = json.loads(body)
    if isinstance(value, dict) and value.get("type") == "Buffer":
        yield bytes(value["data"])


def _lambda_body(body: bytes) -> Iterator[bytes]:
    value = json.loads(body)
    if isinstance(value, dict) and isinstance(inner := value.get("body"), str):
        yield _bytes(inner)
        if value.get("isBase64Encoded") is True:
            yield base64.b64decode(inner, validate=True)


def _decompressed(body: bytes) -> Iterator[bytes]:
    # 16 + 15: gzip; 15: zlib; -15: bare deflate.
    for bits in (31, 15, -15):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(bits).decompress(body, MAX_BYTES)


def _normal_forms(body: bytes) -> Iterator[bytes]:
    for form in ("NFC", "NFD"):
        yield _bytes(unicodedata.normalize(form, body.decode()))


def _written_as_utf8(body: bytes) -> Iterator[bytes]:
    for name in ("latin-1", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            yield _bytes(body.decode(name))


def _read_as_utf8(body: bytes) -> Iterator[bytes]:
    for name in ("latin-1", "cp1252"):
        with contextlib.suppress(UnicodeEncodeError):
            yield body.decode().encode(name)


def _from_utf16(body: bytes) -> Iterator[bytes]:
    for name in ("utf-16", "utf-16-le", "utf-16-be"):
        with contextlib.suppress(UnicodeError):
            yield _bytes(body.decode(name).removeprefix("\ufeff"))


def _hex(body: bytes) -> Iterator[bytes]:
    yield bytes.fromhex(body.decode("ascii"))


def _base64(body: bytes) -> Iterator[bytes]:
    with contextlib.suppress(binascii.Error):
        yield base64.b64decode(body, validate=True)


_INVERSES: tuple[tuple[str, Callable[[bytes], Iterator[bytes]]], ...] = (
    ("trailing-newline", _without_line_end),
    ("surrounding-space", lambda body: iter((body.strip(), body.rstrip(), body.lstrip()))),
    ("trailing-nul", lambda body: iter((body.rstrip(b"\0"),))),
    ("byte-order-mark", lambda body: iter((body.removeprefix(_BOM),))),
    ("line-endings", _line_ends),
    ("compressed", _decompressed),
    ("base64-body", _base64),
    ("hex-body", _hex),
    ("node-buffer", _node_buffer),
    ("lambda-event", _lambda_body),
    ("double-encoded", _inner_text),
    ("form-encoded", _form_decoded),
    ("python-bytes-repr", _bytes_literal),
    ("python-repr", _python_value),
    ("html-escaped", lambda body: iter((_bytes(html.unescape(body.decode())),))),
    ("latin-1", _written_as_utf8),
    ("mojibake", _read_as_utf8),
    ("unicode-normalised", _normal_forms),
    ("utf-16", _from_utf16),
)
