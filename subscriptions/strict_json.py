"""Reads JSON strictly, and says of a text that is refused which rule it breaks, and where.

Strict means RFC 8259 in UTF-8, no NaN or Infinity, no key twice in one object, no half of a
surrogate pair, no integer that no 64-bit float can hold, and at most MAX_NESTING levels. The words
of a refusal are the caller's. The data of events is read by `deliveries.payload.canonical_json`,
which asks for more (see there), and shares the rules that it can.
"""

from __future__ import annotations

import json
import re
from enum import Enum, auto
from typing import Any, NoReturn

MAX_NESTING = 64
# A 64-bit float holds no integer of more digits. Longer ones are refused before they are converted,
# which costs the square of their length.
MAX_INTEGER_DIGITS = 309

_find_surrogate_escape = re.compile(r"\\u[dD][89a-fA-F]").search


class JSONRule(Enum):
    """A rule that a text can break."""

    UTF_8 = auto()
    SYNTAX = auto()
    FINITE_NUMBERS = auto()
    UNIQUE_KEYS = auto()
    WHOLE_CHARACTERS = auto()
    SHORT_INTEGERS = auto()
    FLAT_NESTING = auto()


class StrictJSONError(ValueError):
    """A text that is refused, with the rule that it breaks.

    text: the key given twice, the number at fault, or what the parser expected; "" for the other
    rules. offset: the first byte that is not UTF-8. line and column, from 1: the place of a fault
    of syntax.
    """

    def __init__(
        self, rule: JSONRule, text: str = "", *, offset: int = 0, line: int = 0, column: int = 0
    ) -> None:
        super().__init__(f"{rule.name}: {text}")
        self.rule = rule
        self.text = text
        self.offset = offset
        self.line = line
        self.column = column


def read_json(text: bytes | str) -> Any:
    """The value of a JSON text. Raises StrictJSONError for the first rule that it breaks."""
    try:
        if isinstance(text, bytes):
            text = text.decode()
        else:
            text.encode()
        value = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_constant=_refuse_constant,
            parse_int=_parse_integer,
        )
        check_characters(text, value)
    except UnicodeDecodeError as error:
        raise StrictJSONError(JSONRule.UTF_8, offset=error.start) from None
    except UnicodeEncodeError:
        raise StrictJSONError(JSONRule.WHOLE_CHARACTERS) from None
    except json.JSONDecodeError as error:
        raise StrictJSONError(
            JSONRule.SYNTAX, error.msg, line=error.lineno, column=error.colno
        ) from None
    except RecursionError:
        raise StrictJSONError(JSONRule.FLAT_NESTING) from None
    if is_nested_deeper(value, MAX_NESTING):
        raise StrictJSONError(JSONRule.FLAT_NESTING)
    return value


def check_characters(text: str, value: object) -> None:
    """Raise UnicodeEncodeError if a string of the value, read from text, has half of a pair."""
    # A text that is UTF-8 can only have one as an escape.
    if _find_surrogate_escape(text) is not None:
        json.dumps(value, ensure_ascii=False).encode()


def is_nested_deeper(value: object, levels: int) -> bool:
    """Whether arrays and objects are nested in a JSON value over more levels than that."""
    containers: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        containers = [
            child
            for container in containers
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
    return bool(containers)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise StrictJSONError(JSONRule.UNIQUE_KEYS, _find_repeated([key for key, _ in pairs]))
    return value


def _find_repeated(keys: list[str]) -> str:
    """The first key that stands there a second time; there is one."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            break
        seen.add(key)
    return key


def _refuse_constant(text: str) -> NoReturn:
    raise StrictJSONError(JSONRule.FINITE_NUMBERS, text)


def _parse_integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise StrictJSONError(JSONRule.SHORT_INTEGERS, text)
    return int(text)
