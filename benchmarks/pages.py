"""Times every page of the portal, its fragments and the API's lists, beside a million deliveries.

    python -m benchmarks.pages postgresql [DELIVERIES]

The table of pages is that of the browser tests. All deliveries are the demonstration's, of one
broadcaster, and of each page the median of 20 loads counts, through Django's test client: server
time, without a network. A line a page goes to standard output; the exit code is 1 where one is
over its limit. With the plan of a query that takes long.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.growth_pages import PageCost, cost_processes, page_cost
from benchmarks.stage import stage

DELIVERIES = 1_000_000
LOADS = 20
PAGE_MS, FRAGMENT_MS = 150, 80
MAX_QUERIES = 8
PLATFORM = "cleeng"
_STATUSES = (200, 304, 403, 404)


@dataclass(frozen=True, slots=True)
class Load:
    """A page, and the user who loads it. `group`: page, fragment or API."""

    group: str
    name: str
    url: str
    who: str = "owner"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def limit_ms(self) -> int:
        return FRAGMENT_MS if self.group == "fragment" else PAGE_MS


def add_deliveries(count: int) -> Any:
    """Create the demo's broadcaster of this platform, with so many deliveries."""
    from django.conf import settings
    from django.utils import timezone

    from deliveries.demo import add_history, ensure_demo

    demo = ensure_demo(settings.WEBHOOKS_DATA_DIR)
    (tenant,) = (b for b in demo.broadcasters if b.platform_id == PLATFORM)
    add_history(
        [tenant],
        deliveries=count,
        now=timezone.now(),
        rng=random.Random(1),
        progress=lambda made: None,
    )
    return tenant


def people(tenant: Any) -> Any:
    """Give the broadcaster an owner, a developer, a viewer and a stranger, as in the tests."""
    from subscriptions.models import Member, User
    from tests.portal_clients import PASSWORD, Portal, make_portal

    foreign = make_portal(PLATFORM)
    tenant.max_endpoints = 100
    tenant.save(update_fields=["max_endpoints"])
    for who in ("owner", "developer", "viewer"):
        Member.objects.create(broadcaster=tenant, user=foreign.users[who], role=who)
    foreign.users["stranger"] = User.objects.create_user("elsewhere@example.com", PASSWORD)
    return Portal(tenant, tenant.sandbox, foreign.foreign, foreign.users)


def loads(scene: Any) -> Iterator[Load]:
    from django.urls import reverse

    from tests.browser.pages import PAGES

    for screen in PAGES:
        yield Load("page", str(screen), screen.path(scene), screen.who)
    home = scene.portal.live.pk
    log = reverse("deliveries:delivery-list", args=[home])
    events = reverse("deliveries:event-list", args=[home])
    yield from (Load("page", f"log: {name}", f"{log}?{q}") for name, q in _filters(scene))
    yield from (Load("page", f"events: {q}", f"{events}?{q}") for q in _EVENT_FILTERS)
    htmx = {"HX-Request": "true"}
    for view, *arguments in _FRAGMENTS:
        url = reverse(f"deliveries:{view}", args=[home, *scene.arguments(tuple(arguments))])
        yield Load("fragment", view, url, headers=htmx)
    for name in ("endpoint-list", "topic-list", "audit-log"):
        url = f"{reverse(f'subscriptions:{name}', args=[home])}?q=a"
        yield Load("fragment", name, url, headers=htmx)
    for name, query in _filters(scene):
        yield Load("fragment", f"log: {name}", f"{log}?{query}", headers=htmx)


_FRAGMENTS = (
    ("delivery-list",),
    ("delivery-detail", "failed"),
    ("delivery-detail", "retried"),
    ("delivery-cancel", "retried"),
    ("test-result", "test"),
    ("request-bin",),
    ("event-resend", "event"),
)
_EVENT_FILTERS = (
    "topic=passCreated",
    "topic=broadcasterAccountUpdated",
    "test=only",
    "q=nothing-has-this",
    "q=customer",
    "topic=passCreated&q=nothing-has-this&test=no",
)
_API = {
    "events": ("", "topic=passCreated", "q=nothing-has-this", "q=customer"),
    "deliveries": (
        "",
        "status=failed",
        "status=pending",
        "status=delivered",
        "failure=tls_expired",
        "topic=passCreated",
        "test=true",
        "q=nothing-has-this",
        "limit=250",
        "status=failed&failure=dns_failed",
        "q=ep_00000000000000000000",
    ),
    "attempts": (
        "",
        "outcome=failed",
        "outcome=unknown",
        "status_code=401",
        "failure=dns_failed",
        "status=failed",
        "test=true",
        "q=nothing-has-this",
        "topic=passCreated&outcome=unknown",
    ),
}


def _filters(scene: Any) -> list[tuple[str, str]]:
    """Return the log's filters, at its newest end and three weeks back."""
    from datetime import timedelta

    from django.utils import timezone

    from subscriptions.identifiers import first_uuid7

    now = timezone.now()
    days = f"since={now - timedelta(days=20):%Y-%m-%d}&until={now - timedelta(days=19):%Y-%m-%d}"
    filters = [
        "",
        "status=failed",
        "status=delivered",
        "status=pending",
        "status=cancelled",
        f"endpoint={scene.bin}",
        f"endpoint={scene.bin}&status=failed",
        f"endpoint={scene.failing}&status=delivered",
        "topic=passCreated",
        "failure=tls_expired",
        "failure=interrupted",
        "code=401",
        "code=999",
        "test=only",
        "status=failed&failure=dns_failed&code=401",
        "q=nothing-has-this",
        "q=customer",
        f"q={scene.event}",
        f"q={scene.failed}",
        "status=failed&q=nothing-has-this",
        days,
        f"{days}&q=nothing-has-this",
        f"{days}&status=failed",
    ]
    deep = first_uuid7(now - timedelta(days=21)).hex
    return [
        *((query, query) for query in filters),
        *((f"{query}, deep", f"{query}&cursor={deep}") for query in filters),
    ]


def measure(portal: Any) -> list[tuple[Load, PageCost]]:
    """Return each page of the broadcaster, after adding one of every kind of row."""
    from tests.browser.stage import set_stage
    from tests.receiver import Receiver

    with Receiver() as receiver:
        scene = set_stage(portal, receiver)
    return walk(scene)


def walk(scene: Any) -> list[tuple[Load, PageCost]]:
    from django.test import Client

    from subscriptions.accounts import create_token
    from subscriptions.audit import COMMAND_LINE

    processes = cost_processes()
    clients: dict[str, Any] = {}
    for who in ("nobody", *scene.portal.users):
        clients[who] = Client(SERVER_NAME="localhost")
        clients[who].cookies["sessionid"] = scene.session(who)
    token = create_token(
        broadcaster=scene.portal.live, name="Bench", scopes=["events:read"], actor=COMMAND_LINE
    )
    bearer = {"Authorization": f"Bearer {token.plaintext}"}
    wanted = list(loads(scene))
    for name, queries in _API.items():
        wanted += [
            Load("API", f"{name} {query}", f"/api/v1/{name}?{query}", "nobody", bearer)
            for query in queries
        ]
    found = []
    for load in wanted:
        cost = page_cost(
            clients[load.who],
            processes,
            load.name,
            load.url,
            loads=LOADS,
            headers=load.headers,
            statuses=_STATUSES,
        )
        found.append((load, cost))
    return found


def show(found: list[tuple[Load, PageCost]]) -> bool:
    """Print the times, slowest first in each group; return whether all are within their limits."""
    good = True
    for group in ("page", "fragment", "API"):
        rows = sorted(
            ((load, cost) for load, cost in found if load.group == group),
            key=lambda row: -row[1].median_ms,
        )
        print(f"\n{group}: at most {rows[0][0].limit_ms} ms and {MAX_QUERIES} queries")
        for load, cost in rows:
            over = cost.median_ms > load.limit_ms or cost.queries > MAX_QUERIES
            good = good and not over
            print(f"{'OVER ' if over else '     '}{cost}")
    return good


def main() -> None:
    # A SIGTERM must not keep it from dropping its database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    count = int(sys.argv[2]) if len(sys.argv) > 2 else DELIVERIES
    with stage(sys.argv[1]) as current:
        port = current.start_web()
        os.environ.update(current.env)
        os.environ["WEBHOOKS_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        # The clients of the tests use this host name.
        os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        begin = time.monotonic()
        portal = people(add_deliveries(count))
        print(f"{count:,} deliveries loaded in {time.monotonic() - begin:.0f} s")
        good = show(measure(portal))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
