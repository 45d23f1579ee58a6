"""The event log as a file: CSV for spreadsheets, JSON lines for programs; made as it is sent."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from deliveries.log_filters import DeliveryLogForm
from deliveries.models import Delivery, Event

# One download holds a thread of a web process: it ends.
MOST_ROWS = 100_000
_ROWS_A_QUERY = 500
COLUMNS = (
    "id", "event_id", "topic", "endpoint_id", "endpoint_name", "status", "status_reason",
    "status_code", "failure", "attempt_count", "max_attempts", "test", "created_at",
    "next_attempt_at", "completed_at",
)  # fmt: skip
# A spreadsheet takes a cell that starts like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(form: DeliveryLogForm) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in _rows(form):
        yield writer.writerow([_cell(value) for value in row.values()])


def json_lines(form: DeliveryLogForm) -> Iterator[str]:
    for row in _rows(form):
        yield json.dumps(row, ensure_ascii=False) + "\n"


FORMATS: dict[str, tuple[str, Callable[[DeliveryLogForm], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "jsonl": ("application/jsonl; charset=utf-8", json_lines),
}


def _rows(form: DeliveryLogForm) -> Iterator[dict[str, Any]]:
    return islice(_all_rows(form), MOST_ROWS)


def _all_rows(form: DeliveryLogForm) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = form.page(cursor, size=_ROWS_A_QUERY)
        keys = [delivery.event_id for delivery in page.rows]
        event_ids = dict(Event.objects.filter(pk__in=keys).values_list("pk", "event_id"))
        for delivery in page.rows:
            # One that retention took meanwhile has no event any more.
            yield _row(delivery, event_ids.get(delivery.event_id, ""))
        if not page.next_cursor:
            return
        cursor = page.next_cursor


def _row(delivery: Delivery, event_id: str) -> dict[str, Any]:
    values = {
        "id": delivery.public_id,
        "event_id": event_id,
        "endpoint_id": delivery.endpoint.public_id,
        "endpoint_name": delivery.endpoint.name,
    }
    return {name: values.get(name, _plain(getattr(delivery, name, None))) for name in COLUMNS}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
