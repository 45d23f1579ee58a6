"""Keyset pages, newest first: stable while rows are added, and without a count."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model

from subscriptions.paging import Narrowed, read_page
from subscriptions.rest.problems import BadQuery
from subscriptions.rest.query import Query

T = TypeVar("T")
M = TypeVar("M", bound=Model)
PAGE_QUERY = ("limit", "cursor")
MAX_LIMIT = 250
DEFAULT_LIMIT = 50

# Which rows a cursor asks for, by where they lie from its position. Written in each cursor.
OLDER, AT_OR_OLDER, NEWER, AT_OR_NEWER = _DIRECTIONS = "o", "f", "n", "b"


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[T]):
    """Rows, newest first, and the cursors of the pages around them; None if there is none."""

    rows: Sequence[T]
    next_cursor: str | None
    prev_cursor: str | None

    def body(self, represent: Callable[[T], Any]) -> dict[str, Any]:
        """The page as JSON, each row as `represent` gives it."""
        return {
            "data": [represent(row) for row in self.rows],
            "next_cursor": self.next_cursor,
            "prev_cursor": self.prev_cursor,
        }


def page_limit(query: Query) -> int:
    return query.number("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT


def page_of(narrowed: Narrowed[M], query: Query) -> CursorPage[M]:
    """The page of the rows, by primary key, that `limit` and `cursor` ask for. Raises BadQuery."""
    limit = page_limit(query)
    text = query.text("cursor")
    model = narrowed.rows.model
    direction, position = (OLDER, None) if text is None else _parse_cursor(text, model)
    upwards = direction in (NEWER, AT_OR_NEWER)
    page = read_page(
        narrowed,
        size=limit,
        start=position,
        upwards=upwards,
        includes_start=direction in (AT_OR_OLDER, AT_OR_NEWER),
    )
    last = page.last_key
    onwards = _encode_cursor(NEWER if upwards else OLDER, last) if last is not None else None
    may_skip = bool(narrowed.unindexed)
    back = _cursor_back(page.rows, position, upwards=upwards, may_skip=may_skip)
    if upwards:
        return CursorPage(page.rows[::-1], back, onwards)
    return CursorPage(page.rows, onwards, back)


def _cursor_back(
    found: Sequence[Model], position: object, *, upwards: bool, may_skip: bool
) -> str | None:
    """The cursor of the page before this one, None for the first page.

    It starts at this page's first row. Without rows it starts at this page's own position, and only
    if there can be rows beyond it: after a page of newer rows, or one that may have skipped some.
    """
    if position is None:
        return None
    if found:
        return _encode_cursor(OLDER if upwards else NEWER, found[0].pk)
    if upwards:
        return _encode_cursor(AT_OR_OLDER, position)
    return _encode_cursor(AT_OR_NEWER, position) if may_skip else None


def page_of_list(items: Sequence[T], query: Query, key: Callable[[T], int]) -> CursorPage[T]:
    """A page of a short list that is in memory and keeps its own order."""
    limit = page_limit(query)
    text = query.text("cursor")
    start = 0
    if text is not None:
        direction, position = _decode_cursor(text)
        index = next((n for n, item in enumerate(items) if str(key(item)) == position), None)
        if index is None:
            raise _bad_cursor()
        start = index + 1 if direction == OLDER else max(0, index - limit)
    end = start + limit
    rows = items[start:end]
    return CursorPage(
        rows,
        _encode_cursor(OLDER, key(rows[-1])) if end < len(items) else None,
        _encode_cursor(NEWER, key(rows[0])) if rows and start else None,
    )


def _encode_cursor(direction: str, position: object) -> str:
    return base64.urlsafe_b64encode(f"{direction}{position}".encode()).decode().rstrip("=")


def _decode_cursor(text: str) -> tuple[str, str]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        plain = raw.decode("ascii")
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None
    if len(plain) > 60 or plain[:1] not in _DIRECTIONS:
        raise _bad_cursor()
    return plain[0], plain[1:]


def _parse_cursor(text: str, model: type[Model]) -> tuple[str, UUID | int]:
    direction, position = _decode_cursor(text)
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
