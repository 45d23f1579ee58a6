"""Prepared statements for the paths that every event takes.

Django builds a query for each call and writes the parameters into its text, which is the larger part
of such a statement's cost, here and in the database. Here the text stays the same, PostgreSQL keeps
it prepared, and the parameters travel beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def is_postgresql() -> bool:
    """Whether the connection is to PostgreSQL: one of psycopg, whose cursor `server_side` needs."""
    connection.ensure_connection()
    return isinstance(connection.connection, psycopg.Connection)


def server_side(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """Run a prepared statement on Django's connection, within its transaction if there is one.

    Returns the rows. PostgreSQL only. Raises Django's database errors.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, prepare=True)
        return cursor.fetchall() if cursor.description else []


def uuid_array(ids: Iterable[UUID]) -> str:
    """A parameter for `%s::uuid[]`; a list of UUIDs would be quoted one by one."""
    return "{" + ",".join([value.hex for value in ids]) + "}"


def int_array(numbers: Iterable[int]) -> str:
    """A parameter for `%s::int[]` or `%s::bigint[]`."""
    return "{" + ",".join(map(str, numbers)) + "}"


def instances(
    model: type[Row], names: tuple[str, ...], condition: str, parameters: Sequence[Any]
) -> list[Row]:
    """Load instances of the model with the fields `names`; the other fields are deferred.

    `condition` is our own SQL, which follows `SELECT ... FROM table AS t`.
    """
    statement = _select(model, names) + condition
    if not is_postgresql():
        return list(model._default_manager.raw(statement, parameters))
    readers = _readers(model, names)
    return [
        model.from_db(
            connection.alias,
            names,
            [
                value if read is None else read(value, None, connection)
                for value, read in zip(row, readers, strict=True)
            ],
        )
        for row in server_side(statement, parameters)
    ]


@cache
def _select(model: type[models.Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(f't."{name}"' for name in names)
    return " ".join(("SELECT", columns, "FROM", f'"{model._meta.db_table}"', "AS t "))


@cache
def _readers(model: type[models.Model], names: tuple[str, ...]) -> tuple[Any, ...]:
    """For each column, the function that converts the driver's value to the field's, if there is one."""
    by_column = {field.column: field for field in model._meta.concrete_fields}
    return tuple(getattr(by_column[name], "from_db_value", None) for name in names)
