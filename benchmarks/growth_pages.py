"""Times the portal's pages in process, through Django's test client."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psutil

from benchmarks.stage import cpu_seconds

LOADS = 5
SLOW_QUERY_MS = 30


@dataclass(frozen=True, slots=True)
class PageCost:
    """`first_ms`: the first load, before anything is cached; `is_log`: a page of a log; `cpu_ms`:
    the CPU time of a load, in this process and its database session."""

    name: str
    is_log: bool
    first_ms: float
    median_ms: float
    cpu_ms: float
    queries: int
    slowest_query_ms: float
    plan: str

    def __str__(self) -> str:
        return (
            f"{self.name:<32} {self.median_ms:7.1f} ms ({self.cpu_ms:.1f} of CPU), "
            f"first {self.first_ms:.1f} ms; "
            f"{self.queries} queries, the slowest {self.slowest_query_ms:.1f} ms{self.plan}"
        )


def measure(tenant: Any, *, deep_ms: int) -> list[PageCost]:
    """Time all pages of the broadcaster; a deep page starts at `deep_ms`, in Unix milliseconds."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(_user(tenant))
    processes = cost_processes()
    return [
        page_cost(client, processes, name, url, is_log=is_log, loads=LOADS)
        for name, url, is_log in _urls(tenant, deep_ms=deep_ms)
    ]


def cost_processes() -> list[psutil.Process]:
    """Return this process, and the database process that serves its connection."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return [psutil.Process()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return [psutil.Process(), psutil.Process(cursor.fetchone()[0])]


def _user(tenant: Any) -> Any:
    from subscriptions.models import User
    from subscriptions.models.broadcaster import Member, Role

    user, _ = User.objects.get_or_create(email="bench@example.com", defaults={"name": "Bench"})
    Member.objects.get_or_create(broadcaster=tenant, user=user, defaults={"role": Role.OWNER})
    return user


def _urls(tenant: Any, *, deep_ms: int) -> list[tuple[str, str, bool]]:
    from benchmarks.growth_rows import RARE_TOPIC

    home = f"/b/{tenant.pk}/"
    log, events = f"{home}deliveries/", f"{home}events/"
    deep = f"cursor={UUID(int=deep_ms << 80).hex}"
    mine = tenant.deliveries.all()
    failed = mine.filter(status="failed").select_related("event").first()
    assert failed is not None
    endpoint = tenant.endpoints.live().order_by("pk")[10]
    filters = {
        "all": "",
        "failed": "status=failed",
        "delivered": "status=delivered",
        "pending": "status=pending",
        "webhook": f"endpoint={endpoint.public_id}",
        "webhook, failed": f"endpoint={endpoint.public_id}&status=failed",
        "topic": "topic=purchase.completed",
        "rare topic": f"topic={RARE_TOPIC}",
        "HTTP code": "code=503",
        "search": "q=nothing-has-this",
    }
    pages = [(f"deliveries: {name}", f"{log}?{query}", True) for name, query in filters.items()]
    pages += [
        (f"deliveries: {name}, deep", f"{log}?{query}&{deep}", True)
        for name, query in filters.items()
    ]
    return [
        *pages,
        ("delivery", f"{log}{failed.public_id}/", True),
        ("events", events, True),
        ("events, deep", f"{events}?{deep}", True),
        ("events: topic", f"{events}?topic=purchase.completed", True),
        ("events: rare topic", f"{events}?topic={RARE_TOPIC}", True),
        ("events: search", f"{events}?q=nothing-has-this", True),
        ("event", f"{events}{failed.event.event_id}/", True),
        ("overview", home, False),
        ("overview, 30 days", f"{home}?period=30d", False),
        ("webhooks", f"{home}webhooks/", False),
        ("webhook", f"{home}webhooks/{endpoint.public_id}/", False),
    ]


def page_cost(
    client: Any,
    processes: list[psutil.Process],
    name: str,
    url: str,
    *,
    loads: int,
    is_log: bool = False,
    headers: dict[str, str] | None = None,
    statuses: tuple[int, ...] = (200,),
) -> PageCost:
    """Time `loads` loads after a first one, from the request's entry to the last byte."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times = []
    cpu = 0.0
    for load in range(loads + 1):
        if load == 1:
            cpu = cpu_seconds(processes)
        begin = time.perf_counter()
        response = client.get(url, headers=headers)
        assert response.content is not None  # a lazy response is rendered by reading it
        times.append((time.perf_counter() - begin) * 1000)
        assert response.status_code in statuses, (url, response.status_code)
    cpu_ms = (cpu_seconds(processes) - cpu) / loads * 1000
    with CaptureQueriesContext(connection) as captured:
        client.get(url, headers=headers)
    # Statements that only begin or end a transaction do not count.
    queries = [q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT"))]
    slowest = max(queries, key=lambda query: float(query["time"]), default={"time": "0", "sql": ""})
    slowest_ms = float(slowest["time"]) * 1000
    plan = _plan(slowest["sql"]) if slowest_ms >= SLOW_QUERY_MS else ""
    return PageCost(
        name,
        is_log,
        times[0],
        statistics.median(times[1:]),
        cpu_ms,
        len(queries),
        slowest_ms,
        plan,
    )


def _plan(sql: str) -> str:
    from django.db import connection

    postgresql = connection.vendor == "postgresql"
    explain = "EXPLAIN (ANALYZE, BUFFERS)" if postgresql else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        lines = [str(row[-1]) for row in cursor.fetchall()]
    shown = sql[sql.index(" FROM ") :] if " FROM " in sql else sql
    return "\n".join(["", f"    {shown}", *(f"    {line}" for line in lines)])
