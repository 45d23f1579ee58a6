"""Statements that PostgreSQL gets prepared, with their parameters beside the text.

Django writes parameters into the text. For arrays of hundreds of values that is the larger part of
a statement's cost, on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


def server_side(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    """The rows of a statement run on Django's own connection, in its transaction if there is one.

    Raises Django's database errors.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, prepare=True)
        return cursor.fetchall()
