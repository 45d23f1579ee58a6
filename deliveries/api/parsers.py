"""The parser for bodies with events: data that JavaScript could not keep unchanged is refused."""

from __future__ import annotations

from rest_framework.exceptions import ParseError

from deliveries.payload.canonical_json import JSONError, parse_json
from subscriptions.errors import Refused
from subscriptions.rest.parsers import StrictJSONParser
from subscriptions.strict_json import MAX_NESTING

# The data, which may be MAX_NESTING deep, is in an event, in the list of a batch, in the body.
OUTER_LEVELS = 3


class EventParser(StrictJSONParser):
    """Keeps every value of `data` as it was sent, or refuses the body with a pointer to the value."""

    def load(self, body: bytes) -> object:
        try:
            return parse_json(body, max_nesting=MAX_NESTING + OUTER_LEVELS)
        except JSONError as error:
            if error.is_malformed:
                raise ParseError(error.detail, "malformed_json") from None
            raise Refused(error.detail, code=error.code, pointer=error.pointer) from None
