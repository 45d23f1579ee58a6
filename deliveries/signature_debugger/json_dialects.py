"""JSON as other languages write it anew: what becomes of a body that was parsed first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_HTML: dict[str, str | int | None] = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_LINES: dict[str, str | int | None] = {"\u2028": "\\u2028", "\u2029": "\\u2029"}


class Written(NamedTuple):
    """`code` names the change, `how` the writer in words."""

    code: str
    how: str
    text: str


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(value, **options)


def compact(value: Any, *, ascii_only: bool = False, sort_keys: bool = False) -> str:
    return _dumps(value, separators=(",", ":"), ensure_ascii=ascii_only, sort_keys=sort_keys)


def _escaped(text: str, table: dict[str, str | int | None]) -> str:
    """Characters of a JSON text's strings replaced: those of the table stand nowhere else."""
    return text.translate(str.maketrans(table))


def _as_php(value: Any) -> Any:
    """json_decode(..., true) makes an empty object an empty array."""
    if isinstance(value, dict):
        return {key: _as_php(item) for key, item in value.items()} or []
    return [_as_php(item) for item in value] if isinstance(value, list) else value


def _dotnet(text: str) -> str:
    def unit(found: re.Match[str]) -> str:
        data = found[0].encode("utf-16-be")
        pairs = (data[at : at + 2] for at in range(0, len(data), 2))
        return "".join(f"\\u{pair.hex().upper()}" for pair in pairs)

    table: dict[str, str | int | None] = {
        "<": "\\u003C",
        ">": "\\u003E",
        "&": "\\u0026",
        "'": "\\u0027",
        "+": "\\u002B",
    }
    return _NON_ASCII.sub(unit, _escaped(text.replace('\\"', "\\u0022"), table))


def written_anew(value: Any) -> Iterator[Written]:
    """Every way in which the value is written; those that change nothing included."""
    raw, escaped = compact(value), compact(value, ascii_only=True)
    python = "Python's json.dumps"
    yield Written("escaped-unicode", "non-ASCII characters became \\u escapes", escaped)
    yield Written("python-json", f"{python} with its defaults", _dumps(value))
    yield Written(
        "python-json", f"{python} with ensure_ascii=False", _dumps(value, ensure_ascii=False)
    )
    for code, how, text in _sorted(value):
        yield Written(code, how, text)
    yield from _indented(value)
    for text, how in ((escaped, "json_encode"), (raw, "json_encode, JSON_UNESCAPED_UNICODE")):
        yield Written("escaped-slashes", f"PHP's {how}", text.replace("/", "\\/"))
    emptied = _as_php(value)
    for flags, change in _PHP_FLAGS:
        for is_ascii in (True, False):
            text = change(compact(emptied, ascii_only=is_ascii))
            yield Written("php-empty-object", f"PHP, an empty object became []{flags}", text)
    html = _HTML | _LINES
    yield Written("go-json", "Go's json.Marshal", _escaped(compact(value, sort_keys=True), html))
    yield Written("html-safe-json", "a writer that escapes < > and &", _escaped(raw, html))
    gson = html | {"=": "\\u003d", "'": "\\u0027"}
    yield Written("html-safe-json", "Gson", _escaped(raw, gson))
    yield Written("dotnet-json", "System.Text.Json", _dotnet(raw))


_PHP_FLAGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", lambda text: text.replace("/", "\\/")),
    (", JSON_UNESCAPED_SLASHES", lambda text: text),
)


def _sorted(value: Any) -> Iterator[Written]:
    for is_ascii in (False, True):
        spaced = _dumps(value, sort_keys=True, ensure_ascii=is_ascii)
        tight = compact(value, ascii_only=is_ascii, sort_keys=True)
        yield Written("sorted-keys", "its keys were sorted", tight)
        yield Written("sorted-keys", "Python's json.dumps with sort_keys=True", spaced)


def _indented(value: Any) -> Iterator[Written]:
    for indent in (2, 4, 1, "\t"):
        for is_ascii in (False, True):
            for sort_keys in (False, True):
                text = _dumps(value, indent=indent, ensure_ascii=is_ascii, sort_keys=sort_keys)
                yield Written("indented-json", "indented for reading", text)
                yield Written("indented-json", "PHP's JSON_PRETTY_PRINT", text.replace("/", "\\/"))
