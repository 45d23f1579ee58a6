"""The event log as a file, written while it is sent: CSV for spreadsheets, JSON lines for programs."""

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

# A download holds a thread of a web process for as long as it takes.
MAX_ROWS = 100_000
_ROWS_PER_QUERY = 500
COLUMNS = (
    "id",
    "event_id",
    "topic",
    "endpoint_id",
    "endpoint_name",
    "status",
    "status_reason",
    "status_code",
    "failure",
    "attempt_count",
    "max_attempts",
    "test",
    "created_at",
    "next_attempt_at",
    "completed_at",
)
# A spreadsheet takes a cell that starts with one of these signs for a formula, also with the wide
# ones of Asian keyboards. Some drop quotes, blanks and invisible characters before the sign. If the
# list separator is a semicolon, a new cell starts after each.
_SKIPPED = r"(?:[^\S\t\r\n]|[\x00-\x08\x0e-\x1f\"'\u200b-\u200f\u2060\ufeff])*"
_FORMULA = re.compile(rf"(^|[;\t\r\n])({_SKIPPED})(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_BREAKS = ("\t", "\r", "\n")


class _Echo:
    """A file for csv.writer that returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def write_csv(form: DeliveryLogForm) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in _rows(form):
        yield writer.writerow([_cell(value) for value in row.values()])


def write_json(form: DeliveryLogForm) -> Iterator[str]:
    for row in _rows(form):
        yield json.dumps(row, ensure_ascii=False) + "\n"


EXPORT_FORMATS: dict[str, tuple[str, Callable[[DeliveryLogForm], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", write_csv),
    "jsonl": ("application/jsonl; charset=utf-8", write_json),
}


def export_deliveries(
    *, form: DeliveryLogForm, name: str, broadcaster: Broadcaster, actor: Actor, filters: str
) -> Iterator[str]:
    """The lines of a file in a format of EXPORT_FORMATS; the audit log gets an entry.

    filters: the form's query string, for the audit log.
    """
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="delivery.export",
        after={"format": name, "filters": filters[:500]},
    )
    return EXPORT_FORMATS[name][1](form)


def _rows(form: DeliveryLogForm) -> Iterator[dict[str, Any]]:
    return islice(_all_rows(form), MAX_ROWS)


def _all_rows(form: DeliveryLogForm) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = form.page(cursor, size=_ROWS_PER_QUERY)
        keys = [delivery.event_id for delivery in page.rows]
        event_ids = dict(Event.objects.filter(pk__in=keys).values_list("pk", "event_id"))
        for delivery in page.rows:
            # An event that retention has deleted meanwhile has no id any more.
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
    """A value that no spreadsheet runs: each formula gets a quote before it, which makes it text."""
    if not isinstance(value, str):
        return value
    text = _FORMULA.sub(r"\1'\2", value)
    return f"'{text}" if text.startswith(_BREAKS) else text
