"""JSON text exactly as JavaScript's JSON.stringify(JSON.parse(text)) gives it.

Receivers verify signatures over what they re-serialise themselves, so the bytes sent must be the
ones that JavaScript would write. What JavaScript could not carry unchanged (a number with more
digits than a 64-bit float holds, half of a surrogate pair, a key given twice) is refused: nothing
is ever altered in silence.

The reader is not that of `subscriptions.strict_json`: it judges the text of every number and points
to the value at fault, and each published event passes through it. It shares that module's rules
about nesting and characters.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring as quote
from typing import Any, NoReturn, TypeAlias

from deliveries.payload.json_errors import (
    JSONError,
    digits_error,
    duplicate_error,
    encoding_error,
    key_error,
    nesting_error,
    not_a_number,
    range_error,
    shorten,
    surrogate_error,
    syntax_error,
    type_error,
)
from subscriptions.strict_json import (
    MAX_INTEGER_DIGITS,
    MAX_NESTING,
    check_characters,
    is_nested_deeper,
)

__all__ = ["CanonicalText", "JSONError", "JSONValue", "canonical", "parse_json"]

JSONValue: TypeAlias = "dict[str, JSONValue] | list[JSONValue] | str | int | float | bool | None"

MAX_SAFE_INTEGER = 2**53
# ECMA-262, Number::toString: whole numbers from here on are written with an exponent.
MIN_EXPONENTIAL = 10**21
# ECMA-262, array index: such keys come first in an object, in ascending order.
MAX_ARRAY_INDEX = 2**32 - 2
# A decimal of at most this many digits always survives a 64-bit float (C's DBL_DIG).
SAFE_DIGITS = 15


_match_array_index = re.compile(r"0|[1-9][0-9]{0,9}").fullmatch


def parse_json(text: bytes | str, *, max_nesting: int = MAX_NESTING) -> JSONValue:
    """Read JSON strictly (RFC 8259, UTF-8 without BOM); whole floats come back as int.

    Raises JSONError. `max_nesting` counts arrays and objects around the innermost value.
    """
    text = _decode(text)
    try:
        value: JSONValue = _decoder.decode(text)
        check_characters(text, value)
    except (ValueError, RecursionError):
        raise _find_first_fault(text, max_nesting) from None
    if text.count("{") + text.count("[") > max_nesting and is_nested_deeper(value, max_nesting):
        raise _find_first_fault(text, max_nesting)
    return value


class CanonicalText(str):
    """A text that `canonical` wrote: as a value, it becomes a part of a larger text as it is."""

    __slots__ = ()


def canonical(value: object, *, max_nesting: int = MAX_NESTING) -> str:
    """Write a parsed or in-process value as JSON.stringify would write what JSON.parse gives.

    Takes dict with str keys, list, str, int, float, bool and None; anything else, Decimal and
    tuple included, raises JSONError, as does what JSON or a 64-bit float cannot carry.
    """
    text = _write(value, max_nesting, max_nesting)
    try:
        text.encode()
    except UnicodeEncodeError:
        _check(value, max_nesting, max_nesting)
        raise
    return text


# Writing


def _write(value: Any, levels_left: int, max_nesting: int) -> str:
    kind = type(value)
    if kind is str:
        return quote(value)
    if kind is int:
        return _write_integer(value)
    if kind is dict or kind is list:
        if not levels_left:
            raise nesting_error(max_nesting)
        write = _write_object if kind is dict else _write_array
        return write(value, levels_left - 1, max_nesting)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if kind is float:
        return _write_float(value)
    if kind is CanonicalText:
        return str(value)
    return _write(_to_json_type(value), levels_left, max_nesting)


def _to_json_type(value: object) -> object:
    """A value of a subclass (the member of an enumeration, a SafeString) as its JSON type."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list):
        return list(value)
    raise type_error(value)


def _write_object(members: dict[str, object], levels_left: int, max_nesting: int) -> str:
    parts = []
    for key in _order_keys(members):
        try:
            parts.append(quote(key) + ":" + _write(members[key], levels_left, max_nesting))
        except JSONError as error:
            error.prepend(key)
            raise
    return "{" + ",".join(parts) + "}"


def _write_array(items: list[object], levels_left: int, max_nesting: int) -> str:
    parts: list[str] = []
    try:
        for item in items:
            parts.append(_write(item, levels_left, max_nesting))
    except JSONError as error:
        error.prepend(len(parts))
        raise
    return "[" + ",".join(parts) + "]"


def _order_keys(members: Mapping[str, object]) -> Iterable[str]:
    """The keys in JavaScript's order: array indices ascending, then the rest as given."""
    try:
        # Both checks run in C: every key is a string, and (the usual case) no key is an index.
        "".join(members)
    except TypeError:
        raise key_error(members) from None
    if not members or min(members) >= ":":
        return members
    indices = sorted(filter(_is_array_index, members), key=int)
    if not indices:
        return members
    return [*indices, *(key for key in members if not _is_array_index(key))]


def _is_array_index(key: str) -> bool:
    return _match_array_index(key) is not None and int(key) <= MAX_ARRAY_INDEX


def _write_integer(value: int) -> str:
    if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return str(value)
    if value.bit_length() > 1024:
        raise range_error(f"with {value.bit_length()} bits")
    number = _parse_float(str(value))
    return str(number) if isinstance(number, int) else _write_float(number)


def _write_float(value: float) -> str:
    if not math.isfinite(value):
        raise not_a_number(str(value))
    if value.is_integer():
        whole = _to_integer(value)
        if isinstance(whole, int):
            return str(whole)
    text = repr(value)
    if "e-" not in text:
        return text
    mantissa, exponent = text.split("e-")
    # Python turns to exponents below 1e-4 and pads them; JavaScript below 1e-6, and does not.
    if int(exponent) > 6:
        return f"{mantissa}e-{int(exponent)}"
    return format(Decimal(text), "f")


def _to_integer(value: float) -> int | float:
    """A whole float as the int that JavaScript writes; the float if it writes an exponent."""
    if abs(value) <= MAX_SAFE_INTEGER:
        return int(value)
    if abs(value) < MIN_EXPONENTIAL:
        return int(Decimal(repr(value)))
    return value


# Reading


def _decode(text: bytes | str) -> str:
    try:
        if isinstance(text, bytes):
            text = text.decode()
        else:
            text.encode()
    except UnicodeDecodeError as error:
        raise encoding_error(error) from None
    except UnicodeEncodeError as error:
        raise surrogate_error(error.object) from None
    if text.startswith("\ufeff"):
        raise JSONError(
            "The text starts with a byte order mark (U+FEFF): send JSON without one.",
            code="json_encoding",
        )
    return text


def _build_object(pairs: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise duplicate_error(pairs)
    return members


def _parse_integer(text: str) -> int | float:
    if len(text) <= SAFE_DIGITS:
        return int(text)
    if len(text.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise range_error(shorten(text))
    value = int(text)
    if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return value
    return _parse_float(text)


def _parse_float(text: str) -> int | float:
    value = float(text)
    if math.isinf(value) or (value == 0 and _is_nonzero(text)):
        raise range_error(shorten(text))
    if value == 0:
        return 0
    plain = len(text) <= SAFE_DIGITS and "e" not in text and "E" not in text
    if not plain and Decimal(text) != Decimal(repr(value)):
        raise digits_error(text, becomes=_write_float(value))
    return _to_integer(value) if value.is_integer() else value


def _is_nonzero(text: str) -> bool:
    return re.match(r"[-0.]*[1-9]", text) is not None


def _refuse_constant(text: str) -> NoReturn:
    raise not_a_number(text)


_decoder = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_float=_parse_float,
    parse_int=_parse_integer,
    parse_constant=_refuse_constant,
)


# Finding the place of a fault, in a second, slower reading of what the first has refused


class _UncheckedObject(list[tuple[str, Any]]):
    pass


class _NumberText(str):
    __slots__ = ()


class _ConstantText(str):
    __slots__ = ()


_locating_decoder = json.JSONDecoder(
    object_pairs_hook=_UncheckedObject,
    parse_float=_NumberText,
    parse_int=_NumberText,
    parse_constant=_ConstantText,
)


def _find_first_fault(text: str, max_nesting: int) -> JSONError:
    try:
        _check(_locating_decoder.decode(text), max_nesting, max_nesting)
    except json.JSONDecodeError as error:
        return syntax_error(error, text)
    except RecursionError:
        return nesting_error(max_nesting)
    except JSONError as error:
        return error
    raise AssertionError("a text was refused on the first reading and accepted on the second")


def _check(value: object, levels_left: int, max_nesting: int) -> None:
    """Raise JSONError for the first fault in document order."""
    if isinstance(value, _NumberText):
        _parse_float(value)
    elif isinstance(value, _ConstantText):
        _refuse_constant(value)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list | dict):
        if not levels_left:
            raise nesting_error(max_nesting)
        for key, item in _check_members(value):
            try:
                _check(item, levels_left - 1, max_nesting)
            except JSONError as error:
                error.prepend(key)
                raise


def _check_members(value: list[Any] | dict[str, Any]) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, list) and not isinstance(value, _UncheckedObject):
        return enumerate(value)
    pairs = list(value.items()) if isinstance(value, dict) else value
    if len(dict(pairs)) != len(pairs):
        raise duplicate_error(pairs)
    for key, _ in pairs:
        _check_text(key)
    return pairs


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise surrogate_error(text) from None
