"""Statements as texts, which PostgreSQL gets prepared, with their parameters beside the text.

Django builds a query anew for each call, and writes the parameters into it. On the paths that each
event takes, that is the larger part of a statement's cost, on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def server_side(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """The rows of a statement run on Django's own connection, in its transaction if there is one.

    PostgreSQL only. Raises Django's database errors.
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
    """Rows of the model with the fields `names`, the others deferred. `condition` is SQL, written
    by us: what follows `SELECT ... FROM its table`, in which the table is called `t`."""
    statement = _select(model, names) + condition
    if connection.vendor != "postgresql":
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
    return f'SELECT {columns} FROM "{model._meta.db_table}" AS t '  # noqa: S608  names of models  # nosec B608


@cache
def _readers(model: type[models.Model], names: tuple[str, ...]) -> tuple[Any, ...]:
    """For each column, what makes its field's value of the driver's; None where they are one."""
    by_column = {field.column: field for field in model._meta.concrete_fields}
    return tuple(getattr(by_column[name], "from_db_value", None) for name in names)
