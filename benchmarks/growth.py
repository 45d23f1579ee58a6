"""Scenario growth: what a delivery and a log page cost at 10 thousand to 10 million rows.

    python -m benchmarks.growth postgresql [ROWS ...]

Claim and settle, in one process and without a receiver, of 2,000 deliveries that are due: in rounds,
each in turn with one in another database of the smallest size, because the machine's speed changes
within seconds. Both databases are freshly loaded and get the same rounds, each by a process of its
own; a ratio is the median of those of the pairs. At the smallest size it should be 1: how far it is
from that says how far to trust it. Pages go through Django's test client, signed in. A table of all
pages goes to standard error, with the plan of a query that takes long.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.stage import ROOT, Stage, cpu_seconds, stage

SIZES = (10_000, 1_000_000, 10_000_000)
BROADCASTERS = 20
ENDPOINTS_EACH = 50
DUE = 2_000
ROUNDS = 15
BATCH = 500
# Which database a worker uses: that of this environment, or a small one of its own.
HERE, BESIDE = "here", "beside"


def make_tenants() -> tuple[Any, Any]:
    """Return the layout of the rows that will be loaded, and the first broadcaster."""
    from benchmarks import seed
    from benchmarks.growth_rows import Layout

    url = "https://customer.example/hooks/{n}"
    tenants = [seed.broadcaster(f"Bench {n}").broadcaster for n in range(BROADCASTERS)]
    endpoints = [e for tenant in tenants for e in seed.endpoints(tenant, ENDPOINTS_EACH, url)]
    layout = Layout(
        first_endpoint=endpoints[0].pk,
        endpoints=len(endpoints),
        first_broadcaster=tenants[0].pk,
        stride=tenants[1].pk - tenants[0].pk,
        per_broadcaster=ENDPOINTS_EACH,
        now_ms=int(time.time() * 1000),
    )
    for n, endpoint in enumerate(endpoints):
        assert endpoint.pk == layout.first_endpoint + n
        tenant = layout.first_broadcaster + layout.stride * (n // ENDPOINTS_EACH)
        assert endpoint.broadcaster_id == tenant
    return layout, tenants[0]


@dataclass(slots=True)
class Cost:
    """The cost of one round: microseconds per delivery, one value for each batch; and the CPU time
    of the whole round, since the CPU clock is too coarse for a batch."""

    claim_us: list[float] = field(default_factory=list)
    settle_us: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def medians(self) -> dict[str, float]:
        """Return means: `cost_us` is the time of claim and settle, `cpu_us` the CPU time in it."""
        claim, settle = statistics.median(self.claim_us), statistics.median(self.settle_us)
        return {
            "claim_us": claim,
            "settle_us": settle,
            "cost_us": claim + settle,
            "cpu_us": self.cpu_seconds / DUE * 1e6,
        }


def work_off(cost: Cost) -> None:
    """Claim and settle what is due, like a dispatcher that has nothing else in flight."""
    from django.utils import timezone

    from benchmarks.growth_pages import cost_processes
    from deliveries.dispatch.lanes import LaneSearch
    from deliveries.dispatch.leases import PumpLease
    from deliveries.dispatch.preparation import EndpointCache, prepare
    from deliveries.dispatch.settlement import settle
    from deliveries.dispatch.store import current_store

    lease, cache = PumpLease.take(0), EndpointCache()
    assert lease is not None
    processes = cost_processes()
    search = LaneSearch()
    while current_store().is_anything_due(now := timezone.now()):
        begin, cpu = time.perf_counter(), cpu_seconds(processes)
        current_store().is_anything_due(now)
        lanes = search.scan(now)
        if not lanes:
            continue
        quotas = {lane.endpoint_id: max(1, BATCH // len(lanes)) for lane in lanes}
        rows, _ = search.claim(now, lease_id=lease.id, quotas=quotas)
        claim_seconds = time.perf_counter() - begin
        claim_cpu = cpu_seconds(processes) - cpu
        prepared = prepare(rows, now=now, endpoints=cache)
        outcomes = [_accepted(outgoing, now) for outgoing in prepared.outgoing]
        begin, cpu = time.perf_counter(), cpu_seconds(processes)
        assert settle(outcomes, lease_id=lease.id, shard=lease.slot) == len(rows)
        settle_seconds = time.perf_counter() - begin
        settle_cpu = cpu_seconds(processes) - cpu
        cost.claim_us.append(claim_seconds / len(rows) * 1e6)
        cost.settle_us.append(settle_seconds / len(rows) * 1e6)
        cost.cpu_seconds += claim_cpu + settle_cpu
    lease.end()


def _accepted(outgoing: Any, now: Any) -> Any:
    from deliveries.dispatch.store.records import AttemptRecord, Settled
    from deliveries.models import DeliveryStatus, Outcome
    from subscriptions.identifiers import uuid7

    claim = outgoing.claim
    attempt = AttemptRecord(
        id=uuid7(),
        number=claim.attempt_count + 1,
        trigger=claim.trigger,
        outcome=Outcome.SUCCEEDED,
        failure="",
        retry_reason="",
        sent_at=now,
        responded_at=now,
        duration_ms=42.5,
        dns_ms=0.1,
        connect_ms=8.5,
        tls_ms=20.25,
        first_byte_ms=13.5,
        remote_address="203.0.113.7",
        request_url=claim.url,
        request_headers=outgoing.logged_headers,
        status_code=200,
        response_headers=(("Content-Type", "text/plain"), ("Content-Length", "2")),
        response_body=b"ok",
    )
    return Settled(claim, attempt, DeliveryStatus.DELIVERED, "", None, claim.scheduled_count + 1)


def work_when_told(layout: Any) -> None:
    """For each line on standard input, run a round of DUE deliveries and print what it cost."""
    from benchmarks import growth_rows
    from deliveries.dispatch.store import current_store

    for _ in sys.stdin:
        now_ms, cost = int(time.time() * 1000), Cost()
        growth_rows.add_due(
            os.environ["DATABASE_URL"], layout, DUE, name=f"due{now_ms}-", now_ms=now_ms
        )
        with current_store().planning_by_index():  # as a pump has it
            work_off(cost)
        print(json.dumps(cost.medians()), flush=True)


@contextmanager
def worker(*arguments: str) -> Iterator[Callable[[], dict[str, float]]]:
    """A process of this module that runs a round at each call, and cleans up after itself."""
    command = [sys.executable, "-m", "benchmarks.growth", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        told, said = process.stdin, process.stdout
        assert told is not None and said is not None

        def work() -> dict[str, float]:
            print("a round", file=told, flush=True)
            figures: dict[str, float] = json.loads(said.readline())
            return figures

        yield work


def work_in_turn(
    here: Callable[[], dict[str, float]], beside: Callable[[], dict[str, float]]
) -> dict[str, float]:
    # The first round does not count: after the checkpoint that ends the load, PostgreSQL logs each
    # index page that it touches as a whole. More rows mean more such pages, but only once per
    # checkpoint: every five minutes, and not every few thousand deliveries.
    pairs = [(here(), beside()) for _ in range(1 + ROUNDS)][1:]
    names = ("claim_us", "settle_us", "cost_us", "cpu_us")
    figures = {name: statistics.median(one[name] for one, _ in pairs) for name in names}
    figures["cost_beside_us"] = statistics.median(other["cost_us"] for _, other in pairs)
    for what in ("cost", "cpu"):
        of_pairs = [one[f"{what}_us"] / other[f"{what}_us"] for one, other in pairs]
        figures[f"{what}_ratio"] = statistics.median(of_pairs)
    return figures


def measure_pages(layout: Any, tenant: Any, size: int) -> dict[str, float]:
    from benchmarks import growth_pages, growth_rows

    pages = growth_pages.measure(
        tenant, deep_ms=layout.now_ms - int(size * 0.9) * growth_rows.STEP_MS
    )
    for page in pages:
        print(f"{size:>10,} {page}", file=sys.stderr)
    logs = [page for page in pages if page.is_log]
    return {
        "log_page_ms": max(page.median_ms for page in logs),
        "log_page_cpu_ms": max(page.cpu_ms for page in logs),
        "log_page_queries": max(page.queries for page in logs),
        "any_page_ms": max(page.median_ms for page in pages),
        "any_page_queries": max(page.queries for page in pages),
    }


def grow(current: Stage, sizes: tuple[int, ...]) -> dict[int, dict[str, float]]:
    """Load rows up to each size in turn, and measure at each."""
    from django.core.management import call_command

    from benchmarks import growth_rows

    # Pages name their static files by hash.
    call_command("collectstatic", interactive=False, verbosity=0)
    layout, tenant = make_tenants()
    by_size: dict[int, dict[str, float]] = {}
    loaded = 0
    for size in sizes:
        # The small database is created while this one is loaded.
        with worker(BESIDE, str(sizes[0])) as beside:
            begin = time.monotonic()
            growth_rows.load(current.database_url, layout, loaded, size)
            by_size[size] = {"load_seconds": time.monotonic() - begin}
            by_size[size] |= measure_pages(layout, tenant, size)
            with worker(HERE, json.dumps(asdict(layout))) as here:
                by_size[size] |= work_in_turn(here, beside)
        loaded = size
    return by_size


def run(current: Stage, sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Return the named figures, of the largest size, and those of each size as `name@rows`."""
    by_size = grow(current, sizes)
    named = ("cost_ratio", "cpu_ratio", "log_page_ms", "log_page_queries")
    figures = {f"growth_{name}": by_size[sizes[-1]][name] for name in named}
    for size, measured in by_size.items():
        figures |= {f"growth_{name}@{size}": value for name, value in measured.items()}
    return figures


def work_beside(current: Stage, size: int) -> None:
    from benchmarks import growth_rows

    layout, _ = make_tenants()
    growth_rows.load(current.database_url, layout, 0, size)
    work_when_told(layout)


def work_here(layout: str) -> None:
    import django

    from benchmarks.growth_rows import Layout

    django.setup()
    work_when_told(Layout(**json.loads(layout)))


def main() -> None:
    what, *given = sys.argv[1:]
    if what == HERE:
        return work_here(*given)
    if what not in ("postgresql", BESIDE):
        raise SystemExit("growth: PostgreSQL only; its rows are made with generate_series.")
    # A SIGTERM must not keep it from dropping its database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = tuple(int(size) for size in given) or SIZES
    with stage("postgresql") as current:
        os.environ.update(current.env)
        import django

        django.setup()
        if what == BESIDE:
            work_beside(current, sizes[0])
        else:
            print(json.dumps(run(current, sizes)))


if __name__ == "__main__":
    main()
