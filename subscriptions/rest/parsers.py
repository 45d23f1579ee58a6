"""Bodies: JSON only, read strictly, and refused by their size before they are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from subscriptions.errors import Refused
from subscriptions.rest.problems import BodyTooLarge

MAX_NESTING = 64
# An integer of more digits than a 64-bit float can hold is refused before it is converted:
# converting costs the square of its length.
MAX_INTEGER_DIGITS = 309


class JSONOnly(BaseContentNegotiation):
    """Responses are JSON, whatever the Accept header says; bodies have to declare that they are."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        given = request.META.get("CONTENT_TYPE", "")
        media_type = given.partition(";")[0].strip().lower()
        if media_type == "application/json":
            return next(iter(parsers))
        raise UnsupportedMediaType(
            media_type,
            detail=f"A body of type {given[:100]!r} is not read: send Content-Type: "
            "application/json.",
        )

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, no NaN, no key twice, at most 64 levels deep."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = parser_context or {}
        limit_bytes: int = context["view"].max_body_bytes
        # request.stream's length was read from this header, so it is a number.
        if int(context["request"].META["CONTENT_LENGTH"]) > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        body: bytes = stream.read()
        return self.load(body)

    def load(self, body: bytes) -> object:
        """The JSON value of a body. Raises as load_strictly does."""
        return load_strictly(body)


def load_strictly(body: bytes) -> object:
    """The JSON value of a body.

    Raises ParseError for a body that is not JSON (RFC 8259), Refused for JSON with a key given
    twice, half of a surrogate pair, a number that is too long, or over MAX_NESTING levels.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_build_object,
            parse_constant=_refuse_constant,
            parse_int=_parse_integer,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise ParseError(
            f"The body is not UTF-8 at byte {error.start}.", "malformed_json"
        ) from None
    except UnicodeEncodeError:
        raise Refused(
            "A string has half of a surrogate pair (\\ud800 to \\udfff): give both halves.",
            code="lone_surrogate",
        ) from None
    except json.JSONDecodeError as error:
        raise ParseError(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            "malformed_json",
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if _is_nested_deeper(value, MAX_NESTING):
        raise _too_deep()
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        key = _find_repeated([key for key, _ in pairs])
        raise Refused(f"The key {key[:60]!r} is given twice: give it once.", code="duplicate_key")
    return value


def _find_repeated(keys: list[str]) -> str:
    """The first key that stands there a second time; one of them does."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            break
        seen.add(key)
    return key


def _refuse_constant(text: str) -> NoReturn:
    raise ParseError(f"The body is not JSON: {text} is no JSON number.", "malformed_json")


def _parse_integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise Refused(
            f"The number {text[:20]}… has {len(text)} digits: send it as a string.",
            code="number_out_of_range",
        )
    return int(text)


def _too_deep() -> Refused:
    return Refused(f"The body is nested over {MAX_NESTING} levels deep.", code="nesting_too_deep")


def _is_nested_deeper(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        inner: Any = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return False
    return levels == 0 or any(_is_nested_deeper(item, levels - 1) for item in inner)
