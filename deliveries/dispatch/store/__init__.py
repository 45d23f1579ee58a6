"""All SQL of the hot path: one store for each database, behind one Protocol.

`current_store()` gives the store of the database that this process uses; what it promises stands in
`protocol`, and one suite of tests holds both stores to it. The stores know rows and statements;
which deliveries to claim, and what an outcome means, is decided by the rest of `dispatch`.
"""

from __future__ import annotations

from functools import cache

from django.db import connection

from deliveries.dispatch.store.postgresql import PostgreSQLStore
from deliveries.dispatch.store.protocol import Store
from deliveries.dispatch.store.sqlite import SQLiteStore

__all__ = ["Store", "current_store"]


@cache
def current_store() -> Store:
    """The store of the project's database: SQLite for small installations, else PostgreSQL."""
    return PostgreSQLStore() if connection.vendor == "postgresql" else SQLiteStore()
