"""The planner settings of our connections to PostgreSQL; on SQLite nothing is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

# Compiling a statement takes longer than running ours: pauses of 450 ms were seen at 10 million rows.
_ALWAYS = "SET jit = off"
# The queue grows from nothing to a hundred thousand rows between two ANALYZE. A planner that takes
# it for small would read and sort all of it at each claim; every statement of a pump has its index.
_PLANS = ("enable_seqscan", "enable_bitmapscan", "enable_sort", "enable_incremental_sort")
# Planning a prepared statement again for its parameters would cost a seventh of the database's time,
# and could only find the same index.
_BY_INDEX = "; ".join(
    [*(f"SET {plan} = off" for plan in _PLANS), "SET plan_cache_mode = force_generic_plan"]
)
_AS_BEFORE = "; ".join(f"RESET {name}" for name in (*_PLANS, "plan_cache_mode"))


@receiver(connection_created, dispatch_uid="no-jit")
def _set_always(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    _tell(connection, _ALWAYS)


def _set_by_index(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    _tell(connection, _BY_INDEX)


def _tell(connection: BaseDatabaseWrapper, statements: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statements)


@contextmanager
def planning_by_index() -> Iterator[None]:
    """While it lasts, this thread's statements go by an index wherever there is one.

    Holds for connections that are made anew meanwhile as well.
    """
    connection_created.connect(_set_by_index, dispatch_uid="by-index")
    try:
        if connection.connection is not None:
            _tell(connection, _BY_INDEX)
        yield
    finally:
        connection_created.disconnect(dispatch_uid="by-index")
        if connection.connection is not None:
            _reset()


def _reset() -> None:
    """Reset the settings; a connection that no longer answers is closed, and its settings with it."""
    try:
        _tell(connection, _AS_BEFORE)
    except Error:
        connection.close()
