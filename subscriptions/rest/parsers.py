"""Bodies: JSON only, read strictly, and refused by their size before they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from subscriptions.errors import Refused
from subscriptions.rest.problems import BodyTooLarge
from subscriptions.strict_json import MAX_NESTING, JSONRule, StrictJSONError, read_json


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
        return read_json(body)
    except StrictJSONError as error:
        raise _word_refusal(error) from None


def _word_refusal(error: StrictJSONError) -> ParseError | Refused:
    match error.rule:
        case JSONRule.UTF_8:
            return _malformed(f"UTF-8 at byte {error.offset}.")
        case JSONRule.SYNTAX:
            return _malformed(f"JSON: {error.text} at line {error.line}, column {error.column}.")
        case JSONRule.FINITE_NUMBERS:
            return _malformed(f"JSON: {error.text} is no JSON number.")
        case JSONRule.UNIQUE_KEYS:
            return Refused(
                f"The key {error.text[:60]!r} is given twice: give it once.", code="duplicate_key"
            )
        case JSONRule.WHOLE_CHARACTERS:
            return Refused(
                "A string has half of a surrogate pair (\\ud800 to \\udfff): give both halves.",
                code="lone_surrogate",
            )
        case JSONRule.SHORT_INTEGERS:
            return Refused(
                f"The number {error.text[:20]}… has {len(error.text)} digits: send it as a string.",
                code="number_out_of_range",
            )
        case JSONRule.FLAT_NESTING:
            return Refused(
                f"The body is nested over {MAX_NESTING} levels deep.", code="nesting_too_deep"
            )


def _malformed(fault: str) -> ParseError:
    return ParseError(f"The body is not {fault}", "malformed_json")
