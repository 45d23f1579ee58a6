"""Making and inserting model instances at the price of their SQL.

bulk_create builds its statement anew for each call and asks each field about each value, which
costs more than the inserts themselves. Here the text is made once per model, and PostgreSQL gets
many rows by COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import connection, models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)
# From here on COPY's own round trip is worth it.
_COPY_FROM = 5


@cache
def _columns(model: type[models.Model]) -> tuple[str, str, int]:
    """The quoted table, the quoted columns, and how many."""
    names = [field.column or field.name for field in model._meta.concrete_fields]
    quoted = ", ".join(connection.ops.quote_name(name) for name in names)
    return connection.ops.quote_name(model._meta.db_table), quoted, len(names)


@cache
def _types(model: type[models.Model]) -> tuple[str, ...]:
    """PostgreSQL's names of the columns' types, without their lengths."""
    kinds = (field.db_type(connection) or "" for field in model._meta.concrete_fields)
    return tuple("text" if kind.startswith("varchar") else kind for kind in kinds)


def built(model: type[Row], *, related: Mapping[str, models.Model], **columns: Any) -> Row:
    """A new instance from the values of all its columns, and the objects that some of them refer
    to. Cheaper than `model(...)`, which asks each field; made as unpickling makes one."""
    instance = model.__new__(model)
    instance.__dict__.update(columns, _state=ModelState())
    instance._state.fields_cache.update(related)
    return instance


def insert(objects: Sequence[models.Model]) -> None:
    """Insert instances of one model, primary keys and defaults set.

    Values are of their fields' own types (no JSON fields). Raises IntegrityError.
    """
    if not objects:
        return
    if connection.vendor == "postgresql":
        _insert_postgresql(objects)
    else:
        _insert_sqlite(objects)


def _insert_postgresql(objects: Sequence[models.Model]) -> None:
    model = type(objects[0])
    table, columns, width = _columns(model)
    values = attrgetter(*(field.attname for field in model._meta.concrete_fields))
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        if len(objects) < _COPY_FROM:
            row = f"({', '.join(['%s'] * width)})"
            text = f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * len(objects))}"  # noqa: S608  names of models  # nosec B608
            parameters = [value for instance in objects for value in values(instance)]
            cursor.execute(text.encode(), parameters, prepare=True)
            return
        statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)".encode()
        with cursor.copy(statement) as copy:
            # Binary spares making texts of moments and ids here, and reading them there.
            copy.set_types(_types(model))
            for instance in objects:
                copy.write_row(values(instance))


def _insert_sqlite(objects: Sequence[models.Model]) -> None:
    model = type(objects[0])
    table, columns, width = _columns(model)
    text = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * width)})"  # noqa: S608  names of models  # nosec B608
    values = attrgetter(*(field.attname for field in model._meta.concrete_fields))
    with connection.cursor() as cursor:
        cursor.executemany(text, list(sqlite_rows(values(instance) for instance in objects)))


def sqlite_rows(rows: Iterable[Iterable[Any]]) -> Iterator[list[Any]]:
    """The values as SQLite's columns hold them: UUIDs as hex, moments as texts in UTC."""
    moment = connection.ops.adapt_datetimefield_value
    adapted: dict[type, Callable[[Any], Any]] = {UUID: attrgetter("hex"), datetime: moment}
    for row in rows:
        yield [adapted[type(v)](v) if type(v) in adapted else v for v in row]
