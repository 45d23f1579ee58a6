"""Keyset pages, newest first: stable while rows are added, and without a count."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from subscriptions.rest.problems import BadQuery
from subscriptions.rest.query import Query

T = TypeVar("T")
M = TypeVar("M", bound=Model)
PAGE_PARAMETERS = ("limit", "cursor")
MAX_LIMIT = 250
DEFAULT_LIMIT = 50

# What follows a position: rows older than it, at it or older, newer than it, at it or newer.
OLDER, FROM, NEWER, BACK = "o", "f", "n", "b"
_LOOKUPS = {OLDER: "pk__lt", FROM: "pk__lte", NEWER: "pk__gt", BACK: "pk__gte"}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    rows: Sequence[T]
    next_cursor: str | None
    prev_cursor: str | None

    def body(self, represent: Callable[[T], Any]) -> dict[str, Any]:
        return {
            "data": [represent(row) for row in self.rows],
            "next_cursor": self.next_cursor,
            "prev_cursor": self.prev_cursor,
        }


def page_limit(query: Query) -> int:
    return query.number("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT


def page_of(rows: QuerySet[M], query: Query, *, loose: Q | None = None, most: int = 0) -> Page[M]:
    """The page of `rows`, by primary key, that `limit` and `cursor` ask for.

    `loose` narrows them down by what no index serves, among the next `most` rows: the page may
    have few rows or none, and the cursor then goes on from where it stopped looking.
    """
    limit = page_limit(query)
    text = query.text("cursor")
    direction, position = (OLDER, None) if text is None else _read(text, rows.model)
    upwards = direction in (NEWER, BACK)
    rows = rows.order_by("pk" if upwards else "-pk")
    if position is not None:
        rows = rows.filter(**{_LOOKUPS[direction]: position})
    edge = None
    if loose is not None:
        edge = next(iter(rows.values_list("pk", flat=True)[most - 1 : most]), None)
        rows = rows.filter(loose)
    if edge is not None:
        rows = rows.filter(**{"pk__lte" if upwards else "pk__gte": edge})
    found = list(rows[: limit + 1])
    ahead = found[limit - 1].pk if len(found) > limit else edge
    found = found[:limit]
    further = NEWER if upwards else OLDER
    onwards = _written(further, ahead) if ahead is not None else None
    back = _way_back(found, position, upwards=upwards, may_skip=loose is not None)
    if upwards:
        return Page(found[::-1], back, onwards)
    return Page(found, onwards, back)


def _way_back(
    found: Sequence[Model], position: object, *, upwards: bool, may_skip: bool
) -> str | None:
    """From the page's first row; from where it began, where it may have skipped all of its rows."""
    if position is None:
        return None
    if found:
        return _written(OLDER if upwards else NEWER, found[0].pk)
    if upwards:
        return _written(FROM, position)
    return _written(BACK, position) if may_skip else None


def page_of_list(items: Sequence[T], query: Query, key: Callable[[T], int]) -> Page[T]:
    """A page of a short list that is in memory and keeps its own order."""
    limit = page_limit(query)
    text = query.text("cursor")
    start = 0
    if text is not None:
        direction, position = _decoded(text)
        index = next((n for n, item in enumerate(items) if str(key(item)) == position), None)
        if index is None:
            raise _bad_cursor()
        start = index + 1 if direction == OLDER else max(0, index - limit)
    end = start + limit
    rows = items[start:end]
    return Page(
        rows,
        _written(OLDER, key(rows[-1])) if end < len(items) else None,
        _written(NEWER, key(rows[0])) if rows and start else None,
    )


def _written(direction: str, position: object) -> str:
    return base64.urlsafe_b64encode(f"{direction}{position}".encode()).decode().rstrip("=")


def _decoded(text: str) -> tuple[str, str]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        plain = raw.decode("ascii")
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None
    if len(plain) > 60 or plain[:1] not in _LOOKUPS:
        raise _bad_cursor()
    return plain[0], plain[1:]


def _read(text: str, model: type[Model]) -> tuple[str, UUID | int]:
    direction, position = _decoded(text)
    try:
        if model._meta.pk.get_internal_type() == "UUIDField":
            return direction, UUID(position)
        number = int(position)
    except ValueError:
        raise _bad_cursor() from None
    if not 0 <= number < 2**63:
        raise _bad_cursor()
    return direction, number


def _bad_cursor() -> BadQuery:
    return BadQuery(
        "The cursor is not one that this list gave: start again without it.", code="invalid_cursor"
    )
