"""Pages of the portal's logs: their cursors, and looking further back after an empty page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model

from subscriptions.identifiers import uuid7_time
from subscriptions.paging import Narrowed, read_page

PAGE_SIZE = 50
# After an empty page the browser asks for so many more by itself, once it was told to look further.
MAX_PAGES_BY_ITSELF = 100
PAGE_COUNT_HEADER = "Looked-Through"

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class LogPage(Generic[M]):
    """Rows, newest first.

    next_cursor: "" on the last page. scanned_back_to: when the oldest row that was looked at was
    made; None if the page ends because it is full, or because there are no more rows.
    """

    rows: Sequence[M]
    next_cursor: str
    scanned_back_to: datetime | None = None


def read_log_page(narrowed: Narrowed[M], *, cursor: str, size: int | None = None) -> LogPage[M]:
    """A page of rows whose keys are version 7 UUIDs. Text that is no cursor counts as no cursor."""
    page = read_page(narrowed, size=size or PAGE_SIZE, start=_parse_cursor(cursor))
    return LogPage(
        page.rows,
        page.last_key.hex if page.last_key else "",
        uuid7_time(page.scan_end) if page.scan_end else None,
    )


def _parse_cursor(text: str) -> UUID | None:
    try:
        return UUID(hex=text) if len(text) == 32 else None
    except ValueError:
        return None


def should_continue(headers: Mapping[str, str]) -> tuple[bool, int]:
    """Whether the browser goes on by itself if this page is empty, and the number of the next page.

    A person asks for the first one. A header that is no number counts as none.
    """
    given = headers.get(PAGE_COUNT_HEADER, "")
    count = int(given) if re.fullmatch("[0-9]{1,3}", given) else 0
    return 0 < count < MAX_PAGES_BY_ITSELF, count % MAX_PAGES_BY_ITSELF + 1
