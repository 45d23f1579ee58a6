"""Fills a large queue in seconds: Python makes a few rows, and the database copies them."""

from __future__ import annotations

from typing import Any

MADE = 2_000


def fill(tenant: Any, targets: list[Any], count: int) -> None:
    """Insert `count` due deliveries (a multiple of 2,000), each with its event.

    The tenant must have none before. Pause it first where workers run.
    """
    from django.db import connection, transaction

    from benchmarks import seed
    from deliveries.models import Delivery, Event

    seed.deliveries(tenant, targets, MADE)
    with transaction.atomic():
        _copy(Event, tenant, count // MADE - 1, {"id": _new("o.id"), "event_id": _EVENT_ID})
        _copy(
            Delivery,
            tenant,
            count // MADE - 1,
            {"id": _new("o.id"), "event_id": _new("o.event_id")},
        )
    with connection.cursor() as cursor:
        # Autovacuum does the same within a minute of such a load.
        for model in (Event, Delivery):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


_EVENT_ID = "o.event_id || '-' || k.n"


def _new(column: str) -> str:
    """SQL of another UUID for each copy: its first four bytes are the number of the copy."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"printf('%%08x', k.n) || substr({column}, 9)"
    return f"(lpad(to_hex(k.n), 8, '0') || substr({column}::text, 9))::uuid"


def _copy(model: Any, tenant: Any, copies: int, changed: dict[str, str]) -> None:
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields]
    listed = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f'o."{column}"') for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < %s) "
            f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} AS o CROSS JOIN k "
            "WHERE o.broadcaster_id = %s",
            [copies, tenant.pk],
        )
