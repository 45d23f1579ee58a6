"""The event log as a file: CSV for spreadsheets, JSON lines for programs; made as it is sent."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from deliveries.event_log.filters import DeliveryLogForm
from deliveries.models import Delivery, Event
from subscriptions.audit import Actor, record
from subscriptions.models import Broadcaster

# One download holds a thread of a web process: it ends.
MAX_ROWS = 100_000
_ROWS_A_QUERY = 500
COLUMNS = (
    "id", "event_id", "topic", "endpoint_id", "endpoint_name", "status", "status_reason",
    "status_code", "failure", "attempt_count", "max_attempts", "test", "created_at",
    "next_attempt_at", "completed_at",
)  # fmt: skip
# A spreadsheet takes a cell that starts with one of these signs for a formula, the wide ones of
# Asian keyboards too; some drop quotes, blanks and what is invisible before it. Where the list
# separator is a semicolon, a cell starts after each.
_SKIPPED = r"(?:[^\S\t\r\n]|[\x00-\x08\x0e-\x1f\"'\u200b-\u200f\u2060\ufeff])*"
_FORMULA = re.compile(rf"(^|[;\t\r\n])({_SKIPPED})(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_BREAKS = ("\t", "\r", "\n")


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


def export(
    *, form: DeliveryLogForm, name: str, broadcaster: Broadcaster, actor: Actor, filters: str
) -> Iterator[str]:
    """The lines of a file in a format of FORMATS. Who took it, and of what, is in the audit log.

    `filters`: the choice of rows as its URL has it.
    """
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="delivery.export",
        after={"format": name, "filters": filters[:500]},
    )
    return FORMATS[name][1](form)


def _rows(form: DeliveryLogForm) -> Iterator[dict[str, Any]]:
    return islice(_all_rows(form), MAX_ROWS)


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
    """A value that no spreadsheet runs: text in place of each formula."""
    if not isinstance(value, str):
        return value
    text = _FORMULA.sub(r"\1'\2", value)
    return f"'{text}" if text.startswith(_BREAKS) else text
