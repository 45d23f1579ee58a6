"""Many rows at once into PostgreSQL, by COPY in its binary format.

The attempt log is the widest table: writing a text for each value here, and parsing it again in the
database, is work that binary values spare both. The format is described in PostgreSQL's manual, at
COPY, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import attrgetter

import psycopg
from django.db import connection, models

from deliveries.dispatch.store.attempt_log import ATTEMPT_COLUMNS, binary_row
from deliveries.dispatch.store.records import Settled
from deliveries.dispatch.store.statements import filled

_COPY_ATTEMPTS = filled(
    "COPY deliveries_attempt (<columns>) FROM STDIN (FORMAT BINARY)",
    columns=", ".join(f'"{column.name}"' for column in ATTEMPT_COLUMNS),
)
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
# A row can be as large as the response of its receiver, so not all are joined into one piece.
_ROWS_PER_PIECE = 100
# From this many rows on, COPY's own round trip pays off.
_MIN_COPY_ROWS = 5


def copy_attempts(outcomes: Sequence[Settled]) -> None:
    """Add the attempts to the log. Raises Django's database errors."""
    with (
        # Django's own wrapping leaves COPY out.
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(_COPY_ATTEMPTS) as copy,
    ):
        copy.write(_HEAD)
        for start in range(0, len(outcomes), _ROWS_PER_PIECE):
            rows = map(binary_row, outcomes[start : start + _ROWS_PER_PIECE])
            copy.write(b"".join(rows))
        copy.write(_END)


def insert_or_copy(rows: Sequence[models.Model]) -> None:
    """Insert instances of one model: a few by INSERT, more by COPY. Raises Django's errors."""
    model = type(rows[0])
    table, columns, width = _columns(model)
    values = attrgetter(*(field.attname for field in model._meta.concrete_fields))
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        if len(rows) < _MIN_COPY_ROWS:
            places = f"({', '.join(['%s'] * width)})"
            statement = filled(
                "INSERT INTO <table> (<columns>) VALUES <rows>",
                table=table,
                columns=columns,
                rows=", ".join([places] * len(rows)),
            )
            parameters = [value for row in rows for value in values(row)]
            cursor.execute(statement.encode(), parameters, prepare=True)
            return
        statement = filled(
            "COPY <table> (<columns>) FROM STDIN (FORMAT BINARY)", table=table, columns=columns
        )
        with cursor.copy(statement.encode()) as copy:
            copy.set_types(_types(model))
            for row in rows:
                copy.write_row(values(row))


@cache
def _columns(model: type[models.Model]) -> tuple[str, str, int]:
    """The quoted table, the quoted columns, and how many there are."""
    names = [field.column or field.name for field in model._meta.concrete_fields]
    quoted = ", ".join(connection.ops.quote_name(name) for name in names)
    return connection.ops.quote_name(model._meta.db_table), quoted, len(names)


@cache
def _types(model: type[models.Model]) -> tuple[str, ...]:
    """PostgreSQL's names of the columns' types, without their lengths."""
    kinds = (field.db_type(connection) or "" for field in model._meta.concrete_fields)
    return tuple("text" if kind.startswith("varchar") else kind for kind in kinds)
