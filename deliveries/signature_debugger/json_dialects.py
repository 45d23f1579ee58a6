"""Writes a JSON value as other languages do: what becomes of a body that was parsed first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_HTML: dict[str, str | int | None] = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_LINES: dict[str, str | int | None] = {"\u2028": "\\u2028", "\u2029": "\\u2029"}


class RewrittenJSON(NamedTuple):
    """A JSON text. code: of the finding. how: the writer, in words."""

    code: str
    how: str
    text: str


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(value, **options)


def compact(value: Any, *, ascii_only: bool = False, sort_keys: bool = False) -> str:
    return _dumps(value, separators=(",", ":"), ensure_ascii=ascii_only, sort_keys=sort_keys)


def _escape(text: str, table: dict[str, str | int | None]) -> str:
    """Replace characters of a JSON text; those of the table occur in strings only."""
    return text.translate(str.maketrans(table))


def _empty_objects_to_arrays(value: Any) -> Any:
    """json_decode(..., true) makes an empty object an empty array."""
    if isinstance(value, dict):
        return {key: _empty_objects_to_arrays(item) for key, item in value.items()} or []
    return [_empty_objects_to_arrays(item) for item in value] if isinstance(value, list) else value


def _escape_as_dotnet(text: str) -> str:
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
    return _NON_ASCII.sub(unit, _escape(text.replace('\\"', "\\u0022"), table))


def rewrite_json(value: Any) -> Iterator[RewrittenJSON]:
    """Yield every way of writing the value, those included that change nothing."""
    raw, escaped = compact(value), compact(value, ascii_only=True)
    python = "Python's json.dumps"
    yield RewrittenJSON("escaped-unicode", "non-ASCII characters became \\u escapes", escaped)
    yield RewrittenJSON("python-json", f"{python} with its defaults", _dumps(value))
    yield RewrittenJSON(
        "python-json", f"{python} with ensure_ascii=False", _dumps(value, ensure_ascii=False)
    )
    for code, how, text in _sorted_variants(value):
        yield RewrittenJSON(code, how, text)
    yield from _indented_variants(value)
    for text, how in ((escaped, "json_encode"), (raw, "json_encode, JSON_UNESCAPED_UNICODE")):
        yield RewrittenJSON("escaped-slashes", f"PHP's {how}", text.replace("/", "\\/"))
    emptied = _empty_objects_to_arrays(value)
    for flags, change in _PHP_FLAGS:
        for is_ascii in (True, False):
            text = change(compact(emptied, ascii_only=is_ascii))
            yield RewrittenJSON("php-empty-object", f"PHP, an empty object became []{flags}", text)
    html = _HTML | _LINES
    yield RewrittenJSON(
        "go-json", "Go's json.Marshal", _escape(compact(value, sort_keys=True), html)
    )
    yield RewrittenJSON("html-safe-json", "a writer that escapes < > and &", _escape(raw, html))
    gson = html | {"=": "\\u003d", "'": "\\u0027"}
    yield RewrittenJSON("html-safe-json", "Gson", _escape(raw, gson))
    yield RewrittenJSON("dotnet-json", "System.Text.Json", _escape_as_dotnet(raw))


_PHP_FLAGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", lambda text: text.replace("/", "\\/")),
    (", JSON_UNESCAPED_SLASHES", lambda text: text),
)


def _sorted_variants(value: Any) -> Iterator[RewrittenJSON]:
    for is_ascii in (False, True):
        spaced = _dumps(value, sort_keys=True, ensure_ascii=is_ascii)
        tight = compact(value, ascii_only=is_ascii, sort_keys=True)
        yield RewrittenJSON("sorted-keys", "its keys were sorted", tight)
        yield RewrittenJSON("sorted-keys", "Python's json.dumps with sort_keys=True", spaced)


def _indented_variants(value: Any) -> Iterator[RewrittenJSON]:
    for indent in (2, 4, 1, "\t"):
        for is_ascii in (False, True):
            for sort_keys in (False, True):
                text = _dumps(value, indent=indent, ensure_ascii=is_ascii, sort_keys=sort_keys)
                yield RewrittenJSON("indented-json", "indented for reading", text)
                yield RewrittenJSON(
                    "indented-json", "PHP's JSON_PRETTY_PRINT", text.replace("/", "\\/")
                )
