"""Pages of the large tables, newest first: by key, without a count, and never a scan without end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 50
# A condition that no index serves is tried on so many rows a page; the next page goes on from
# there. 5,000 bodies of a kilobyte are searched in some 50 ms, columns are compared faster.
SEARCHED_ROWS = 5_000
COMPARED_ROWS = 20_000

# Asked once to look further back where a page is empty, the browser asks for so many more by itself.
MAX_WINDOWS = 100
WINDOWS_HEADER = "Looked-Through"

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class LogPage(Generic[M]):
    """`next_cursor` is "" at the end. `looked_back_to`: the page ends there, the rows may not."""

    rows: Sequence[M]
    next_cursor: str
    looked_back_to: datetime | None = None


def log_page(
    rows: QuerySet[M],
    *,
    cursor: str,
    loose: Q | None = None,
    most: int = 0,
    size: int | None = None,
) -> LogPage[M]:
    """A page of `rows`, which an index serves in order of the primary key, a version 7 UUID.

    `loose` narrows them down by what no index serves, among the next `most` rows. A cursor that
    is none starts from the newest.
    """
    size = size or PAGE_SIZE
    rows = rows.order_by("-pk")
    if (position := read_cursor(cursor)) is not None:
        rows = rows.filter(pk__lt=position)
    floor = _floor(rows, most) if loose is not None else None
    if loose is not None:
        rows = rows.filter(loose)
    if floor is not None:
        rows = rows.filter(pk__gte=floor)
    found = list(rows[: size + 1])
    if len(found) > size:
        return LogPage(found[:size], found[size - 1].pk.hex)
    if floor is not None:
        return LogPage(found, floor.hex, moment_of(floor))
    return LogPage(found, "")


def _floor(rows: QuerySet[M], most: int) -> UUID | None:
    """The last of the next `most` rows; None where there are fewer."""
    return next(iter(rows.values_list("pk", flat=True)[most - 1 : most]), None)


def look_on(headers: Mapping[str, str]) -> tuple[bool, int]:
    """Whether the browser goes on by itself where this page is empty, and which page is next.

    A person asks for the first one; what is no number counts as none.
    """
    given = headers.get(WINDOWS_HEADER, "")
    looked = int(given) if re.fullmatch("[0-9]{1,3}", given) else 0
    return 0 < looked < MAX_WINDOWS, looked % MAX_WINDOWS + 1


def read_cursor(text: str) -> UUID | None:
    try:
        return UUID(hex=text) if len(text) == 32 else None
    except ValueError:
        return None


def moment_of(key: UUID) -> datetime:
    """When a version 7 UUID was made."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=key.int >> 80)


def first_key(moment: datetime) -> UUID:
    """The least version 7 UUID of a moment after 1970."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
