"""Times of the API: written as ISO 8601 in UTC with milliseconds and Z, read as RFC 3339."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
EXAMPLE = "2024-03-04T09:50:51.375Z"


def iso_ms(value: datetime) -> str:
    """The time as text; it has to be in UTC, as all are that Django reads from the database."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """An RFC 3339 time, in UTC. Raises ValueError with the reason in words."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a time with its zone: write {EXAMPLE}.")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:60]!r} is no point in time: write {EXAMPLE}.") from None
