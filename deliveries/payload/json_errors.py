"""Why a JSON text or value is refused, in words for the person who sent it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring as quote
from typing import Any

MAX_SHOWN_CHARACTERS = 60
_MALFORMED = frozenset({"json_syntax", "json_encoding", "json_not_a_number"})


class JSONError(ValueError):
    """JSON, or a Python value meant to become JSON, that is refused.

    detail says what is wrong, with the value, and what to do. code is one of json_syntax,
    json_encoding, json_not_a_number, duplicate_key, lone_surrogate, nesting_too_deep,
    number_loses_digits, number_out_of_range, not_json_type. pointer (RFC 6901) leads to the value
    at fault, or to the object with the key at fault; it is "" for the text as a whole.
    """

    def __init__(self, detail: str, *, code: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.pointer = pointer

    @property
    def is_malformed(self) -> bool:
        """Whether the text is no JSON at all, rather than JSON that is refused."""
        return self.code in _MALFORMED

    def prepend(self, key: str | int) -> None:
        """Put the member that holds the fault, a key or an index, before the pointer."""
        token = _escape_surrogates(str(key)).replace("~", "~0").replace("/", "~1")
        self.pointer = f"/{token}{self.pointer}"


def _escape_surrogates(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"


def _show(text: str) -> str:
    """The text in quotes, shortened, as any answer or log can carry it."""
    return _escape_surrogates(quote(shorten(text)))


def syntax_error(error: json.JSONDecodeError, text: str) -> JSONError:
    found = _show(text[error.pos : error.pos + 20]) if error.pos < len(text) else "the end"
    return JSONError(
        f"The text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}, "
        f"where {found} stands.",
        code="json_syntax",
    )


def encoding_error(error: UnicodeDecodeError) -> JSONError:
    byte = error.object[error.start]
    return JSONError(
        f"The text is not UTF-8: byte 0x{byte:02x} at offset {error.start} ({error.reason}). "
        "Send JSON encoded as UTF-8.",
        code="json_encoding",
    )


def duplicate_error(pairs: Iterable[tuple[str, object]]) -> JSONError:
    counts = Counter(key for key, _ in pairs)
    twice = next(key for key, count in counts.items() if count > 1)
    return JSONError(
        f"Key {_show(twice)} is there twice in one object: receivers would keep only one of the "
        "values, so give it once.",
        code="duplicate_key",
    )


def key_error(members: Mapping[Any, object]) -> JSONError:
    key = next(key for key in members if not isinstance(key, str))
    return JSONError(
        f"Key {shorten(repr(key))} is of type {type(key).__name__}: keys of an object are strings.",
        code="not_json_type",
    )


def type_error(value: object) -> JSONError:
    return JSONError(
        f"A value of type {type(value).__name__} is not JSON: give an object (dict), array "
        "(list), string, number (int or float), true, false or null.",
        code="not_json_type",
    )


def surrogate_error(text: str) -> JSONError:
    found = re.search("[\ud800-\udfff]", text)
    which = f"U+{ord(found[0]):04X}" if found else "one"
    return JSONError(
        f"String {_show(text)} holds half of a surrogate pair ({which}), which UTF-8 cannot "
        "carry: send the whole character, or leave it out.",
        code="lone_surrogate",
    )


def nesting_error(max_nesting: int) -> JSONError:
    return JSONError(
        f"Arrays and objects are nested more than {max_nesting} deep: make the structure flatter.",
        code="nesting_too_deep",
    )


def not_a_number(text: str) -> JSONError:
    return JSONError(
        f"{text} is not a JSON number: send null, or a string.", code="json_not_a_number"
    )


def range_error(number: str) -> JSONError:
    return JSONError(
        f"The number {number} is out of the range of a 64-bit float, which is what receivers read "
        "JSON numbers as: send it as a string.",
        code="number_out_of_range",
    )


def digits_error(text: str, *, becomes: str) -> JSONError:
    return JSONError(
        f"The number {shorten(text)} would lose digits: receivers read JSON numbers as 64-bit "
        f"floats, where it becomes {becomes}. Send it as a string.",
        code="number_loses_digits",
    )
