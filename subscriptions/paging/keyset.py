"""Pages by primary key, and the conditions that narrow down the rows they are cut from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

# A page tries a condition that no index serves on so many rows; the next page goes on from there.
# 5,000 bodies of a kilobyte are searched in some 50 ms; columns are compared faster.
MAX_SEARCHED_ROWS = 5_000
MAX_COMPARED_ROWS = 20_000

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Narrowed(Generic[M]):
    """Rows of a large table, narrowed down.

    rows: what an index serves in order of the primary key.
    unindexed: a further condition, which no index serves; empty if there is none.
    scans_text: whether that condition reads texts or other tables, which takes longer.
    """

    rows: QuerySet[M]
    unindexed: Q = field(default_factory=Q)
    scans_text: bool = False

    @property
    def scan_limit(self) -> int:
        """How many of `rows` a page may try `unindexed` on."""
        return MAX_SEARCHED_ROWS if self.scans_text else MAX_COMPARED_ROWS

    @property
    def matching(self) -> QuerySet[M]:
        """The rows that meet every condition, however many have to be tried for it."""
        return self.rows.filter(self.unindexed)

    def with_rows(self, rows: QuerySet[M]) -> Narrowed[M]:
        """The same, with rows that load more or fewer columns."""
        return replace(self, rows=rows)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[M]):
    """A page of rows, in the order in which they were read.

    last_key: the key after which the next page starts; None if this is the last page.
    scan_end: the key at which this page stopped looking because of the scan limit; None if it ends
    because it is full, or because there are no more rows.
    """

    rows: list[M]
    last_key: Any = None
    scan_end: Any = None


def read_page(
    narrowed: Narrowed[M],
    *,
    size: int,
    start: Any = None,
    upwards: bool = False,
    includes_start: bool = False,
) -> KeysetPage[M]:
    """At most `size` rows beyond the key `start`: downwards from it, newest first, or upwards.

    A condition that no index serves is tried on the next `scan_limit` rows only: the page can have
    few rows or none, and the next one then goes on where this scan ended.
    """
    rows = narrowed.rows.order_by("pk" if upwards else "-pk")
    if start is not None:
        beyond = "pk__gt" if upwards else "pk__lt"
        rows = rows.filter(**{f"{beyond}e" if includes_start else beyond: start})
    scan_end = None
    if narrowed.unindexed:
        scan_end = _nth_key(rows, narrowed.scan_limit)
        rows = rows.filter(narrowed.unindexed)
    if scan_end is not None:
        rows = rows.filter(**{"pk__lte" if upwards else "pk__gte": scan_end})
    found = list(rows[: size + 1])
    if len(found) > size:
        return KeysetPage(found[:size], last_key=found[size - 1].pk)
    return KeysetPage(found, last_key=scan_end, scan_end=scan_end)


def _nth_key(rows: QuerySet[M], n: int) -> Any:
    """The key of the nth row, counted from 1; None if there are fewer."""
    return next(iter(rows.values_list("pk", flat=True)[n - 1 : n]), None)


def read_row_id(text: str) -> int | None:
    """The row number in a query string; None if the text is no number that a row can have."""
    return int(text) if text.isdecimal() and len(text) < 19 else None
