"""Bodies of requests and responses as HTML that is readable and cannot run anything."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from deliveries.diagnosis.invisible_characters import INVISIBLE_CHARACTERS

# Colouring 20,000 characters takes some 30 ms; a longer body is shown without colours.
_MAX_HIGHLIGHTED_CHARACTERS = 20_000
_MAX_CHARACTERS = 100_000
_MAX_DUMPED_BYTES = 2_048
_BYTES_PER_LINE = 16
_UNSEEN = re.compile(f"[{INVISIBLE_CHARACTERS}]|\r(?!\n)")
_REVEALED = re.compile(r"⟦U\+[0-9A-F]{4,6}⟧")
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class RenderedBody:
    """markup: HTML for the inside of a <pre>. notes: in words, what was done to the text."""

    markup: SafeString
    language: str
    size_bytes: int
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return self.size_bytes == 0


def reveal_unseen(text: str) -> str:
    """The text with the name of each unseen character in its place, as ⟦U+202E⟧."""
    return _UNSEEN.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def render_body(body: bytes, content_type: str = "") -> RenderedBody:
    """A body as HTML. JSON is indented for reading; its tokens stay as they are."""
    notes: list[str] = []
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        notes.append(
            f"Not UTF-8: byte 0x{body[error.start]:02x} at offset {error.start:,}. Shown as bytes."
        )
        return RenderedBody(
            _mark_revealed(html.escape(hex_dump(body))), "hex", len(body), tuple(notes)
        )
    whole = len(text)
    text = text[:_MAX_CHARACTERS]
    language = _guess_language(text, content_type)
    if language == "json":
        # Indenting a deeply nested body makes it many times as long: it is cut afterwards.
        text = indent_json(text)
        whole = len(text)
        text = text[:_MAX_CHARACTERS]
    if whole > len(text):
        notes.append(f"The first {len(text):,} of {whole:,} characters are shown.")
    safe = reveal_unseen(text)
    if safe != text:
        notes.append("Characters that do not show are named in ⟦ ⟧.")
    return RenderedBody(_highlight(safe, language), language, len(body), tuple(notes))


def _guess_language(text: str, content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if text.lstrip()[:1] in ("{", "["):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return "text"
        return "json"
    if kind.endswith("html") or text[:15].lower().startswith(("<!doctype html", "<html")):
        return "html"
    return "xml" if kind.endswith("xml") else "text"


def indent_json(text: str) -> str:
    """JSON text with line breaks and spaces between its tokens, which stay as they are."""
    lines: list[str] = []
    line, depth = "", 0
    parts = _JSON_TOKEN.findall(text)
    for position, part in enumerate(parts):
        following = parts[position + 1] if position + 1 < len(parts) else ""
        if part in "{[" and following not in ("}", "]"):
            depth += 1
            lines.append(line + part)
            line = "  " * depth
        elif part in "}]" and not (position and parts[position - 1] in "{["):
            depth = max(0, depth - 1)
            lines.append(line)
            line = "  " * depth + part
        elif part == ",":
            lines.append(line + part)
            line = "  " * depth
        else:
            line += ": " if part == ":" else part
    lines.append(line)
    return "\n".join(lines)


def hex_dump(body: bytes) -> str:
    """Offset, bytes and ASCII, 16 bytes a line; the first 2,048."""
    shown = body[:_MAX_DUMPED_BYTES]
    lines = [_dump_line(shown, at) for at in range(0, len(shown), _BYTES_PER_LINE)]
    if len(body) > len(shown):
        lines.append(f"… {len(body) - len(shown):,} bytes more")
    return "\n".join(lines)


def _dump_line(body: bytes, at: int) -> str:
    part = body[at : at + _BYTES_PER_LINE]
    plain = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{at:06x}  {part.hex(' '):<{_BYTES_PER_LINE * 3}} {plain}"


def _highlight(text: str, language: str) -> SafeString:
    if language == "text" or len(text) > _MAX_HIGHLIGHTED_CHARACTERS:
        return _mark_revealed(html.escape(text))
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    return _mark_revealed(highlight(text, lexer, HtmlFormatter(nowrap=True)))


def _mark_revealed(escaped: str) -> SafeString:
    """Set the names of unseen characters apart, in text that is HTML already."""
    return mark_safe(  # noqa: S308  the callers give HTML: escaped text, or what pygments made of it
        _REVEALED.sub(lambda found: f'<span class="unseen">{found[0]}</span>', escaped)
    )


def find_header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The value of the first header with this name, which is in lower case; "" if there is none."""
    return next((value for given, value in headers if given.lower() == name), "")
