"""Query parameters: each known by name and given once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from rest_framework.request import Request

from subscriptions.rest.problems import BadQuery
from subscriptions.rest.times import parse_time

MAX_SEARCH_LENGTH = 200
_UNESCAPED_PLUS = re.compile(r" ([0-9]{2}:[0-9]{2})$")


class Query:
    """A request's query parameters. Every method raises BadQuery, naming the parameter."""

    def __init__(self, request: Request, allowed: Iterable[str]) -> None:
        known = frozenset(allowed)
        self._values: dict[str, str] = {}
        if not request.META.get("QUERY_STRING"):
            return
        for name, values in request.query_params.lists():
            if name not in known:
                may = f"this address takes {', '.join(sorted(known))}" if known else "it takes none"
                raise BadQuery(
                    f"Unknown query parameter {name[:60]!r}: {may}.", code="unknown_parameter"
                )
            if len(values) > 1:
                raise BadQuery(f"The query parameter {name} is given twice: give it once.")
            if "\0" in values[0]:
                raise BadQuery(f"The query parameter {name} has a NUL character in it.")
            self._values[name] = values[0]

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not value:
            raise BadQuery(f"The query parameter {name} is empty: give a value, or leave it out.")
        return value

    def search(self, name: str = "q") -> str | None:
        value = self.text(name)
        if value is not None and len(value) > MAX_SEARCH_LENGTH:
            raise BadQuery(f"{name} is {len(value)} long: search for at most {MAX_SEARCH_LENGTH}.")
        return value

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in (known := list(choices)):
            raise BadQuery(f"{name}={value[:60]} is unknown: use one of {', '.join(known)}.")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        # ASCII digits only, and few: int() would take others, and any length.
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise BadQuery(f"{name}={value[:60]} is out of range: a number from {low} to {high}.")
        return int(value)

    def time(self, name: str) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            # In a query string an unescaped + means a space.
            return parse_time(_UNESCAPED_PLUS.sub(r"+\1", value))
        except ValueError as error:
            raise BadQuery(f"{name}: {error}") from None
