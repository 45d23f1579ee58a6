"""growth: what a delivery and a log page cost at 10 thousand, 1 million and 10 million rows.

    python -m benchmarks.growth postgresql [ROWS ...]

Claim and settle, in this process and without a receiver, of 5,000 deliveries that are due, four
times, of which the first is not counted; pages through Django's test client, signed in. A table of
all pages goes to standard error, with the plan of a query that takes long.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.stage import ROOT, Stage, cpu_seconds, stage

SIZES = (10_000, 1_000_000, 10_000_000)
BROADCASTERS = 20
ENDPOINTS_EACH = 50
DUE = 5_000
ROUNDS = 3
BATCH = 500
ONE_SIZE = "one-size"


def make_tenants() -> tuple[Any, Any]:
    """The layout of the rows to come, and the first broadcaster."""
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
    """Microseconds per delivery, one value for each batch."""

    claim_us: list[float] = field(default_factory=list)
    settle_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        """`cost_us` is the time of claim and settle, `cpu_us` the processors' part of it."""
        claim, settle = statistics.median(self.claim_us), statistics.median(self.settle_us)
        return {
            "claim_us": claim,
            "settle_us": settle,
            "cost_us": claim + settle,
            "cpu_us": statistics.median(self.cpu_us),
        }


def work_off(cost: Cost) -> None:
    """Claim and settle what is due, as a dispatcher does it that has nothing else under way."""
    from django.utils import timezone

    from benchmarks.growth_pages import cost_processes
    from deliveries.claiming import is_anything_due
    from deliveries.lanes import LaneSearch
    from deliveries.leases import PumpLease
    from deliveries.sending import EndpointCache, prepare
    from deliveries.settle import settle

    lease, cache = PumpLease.take(0), EndpointCache()
    assert lease is not None
    processes = cost_processes()
    search = LaneSearch()
    while is_anything_due(now := timezone.now()):
        begin, cpu = time.perf_counter(), cpu_seconds(processes)
        is_anything_due(now)
        lanes = search.look(now)
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
        cost.cpu_us.append((claim_cpu + settle_cpu) / len(rows) * 1e6)
    lease.end()


def _accepted(outgoing: Any, now: Any) -> Any:
    from deliveries.models import DeliveryStatus, Outcome
    from deliveries.outcomes import AttemptRecord, Settled
    from subscriptions.public_ids import uuid7

    claim = outgoing.claim
    attempt = AttemptRecord(
        id=uuid7(), number=claim.attempt_count + 1, trigger=claim.trigger,
        outcome=Outcome.SUCCEEDED, failure="", retry_reason="", sent_at=now, responded_at=now,
        duration_ms=42.5, dns_ms=0.1, connect_ms=8.5, tls_ms=20.25, first_byte_ms=13.5,
        remote_address="203.0.113.7", request_url=claim.url,
        request_headers=outgoing.logged_headers, status_code=200,
        response_headers=(("Content-Type", "text/plain"), ("Content-Length", "2")),
        response_body=b"ok",
    )  # fmt: skip
    return Settled(claim, attempt, DeliveryStatus.DELIVERED, "", None, claim.scheduled_count + 1)


def measure(current: Stage, layout: Any, tenant: Any, size: int) -> dict[str, float]:
    from benchmarks import growth_pages, growth_rows
    from deliveries.planner import planning_by_index

    pages = growth_pages.measure(
        tenant, deep_ms=layout.now_ms - int(size * 0.9) * growth_rows.STEP_MS
    )
    for page in pages:
        print(f"{size:>10,} {page}", file=sys.stderr)
    cost = Cost()
    # The first round is not counted: after the checkpoint that ends the load, it writes each index
    # page it touches to the log as a whole. The more rows, the more pages; but only once a
    # checkpoint, which is every five minutes and not every few thousand deliveries.
    for n in range(1 + ROUNDS):
        now_ms = int(time.time() * 1000)
        growth_rows.add_due(
            current.database_url, layout, DUE, name=f"due{size}-{n}-", now_ms=now_ms
        )
        with planning_by_index():  # as a pump has it
            work_off(cost if n else Cost())
    logs = [page for page in pages if page.is_log]
    return cost.medians() | {
        "log_page_ms": max(page.median_ms for page in logs),
        "log_page_cpu_ms": max(page.cpu_ms for page in logs),
        "log_page_queries": max(page.queries for page in logs),
        "any_page_ms": max(page.median_ms for page in pages),
        "any_page_queries": max(page.queries for page in pages),
    }


def run(current: Stage, sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """The named figures are of the largest size; those of each size follow, its rows behind `@`."""
    by_size = _grow(current, sizes)
    first, last = by_size[sizes[0]], by_size[sizes[-1]]
    again = _again(sizes[0])
    figures = {
        f"growth_{what}_ratio": last[f"{what}_us"]
        / statistics.mean([first[f"{what}_us"], again[f"{what}_us"]])
        for what in ("cost", "cpu")
    }
    figures["growth_log_page_ms"] = last["log_page_ms"]
    figures["growth_log_page_queries"] = last["log_page_queries"]
    for size, measured in by_size.items():
        figures |= {f"growth_{name}@{size}": value for name, value in measured.items()}
    figures[f"growth_cost_again_us@{sizes[0]}"] = again["cost_us"]
    return figures


def _grow(current: Stage, sizes: tuple[int, ...]) -> dict[int, dict[str, float]]:
    """Load up to each size, and measure there."""
    from django.core.management import call_command

    from benchmarks import growth_rows

    # Pages name their static files by hash.
    call_command("collectstatic", interactive=False, verbosity=0)
    layout, tenant = make_tenants()
    by_size: dict[int, dict[str, float]] = {}
    loaded = 0
    for size in sizes:
        begin = time.monotonic()
        growth_rows.load(current.database_url, layout, loaded, size)
        loaded, seconds = size, time.monotonic() - begin
        by_size[size] = measure(current, layout, tenant, size) | {"load_seconds": seconds}
    return by_size


def _again(size: int) -> dict[str, float]:
    """The smallest size once more, in a database of its own: minutes have passed since the first
    time, in which the machine may have become a slower or a faster one."""
    command = [sys.executable, "-m", "benchmarks.growth", ONE_SIZE, str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    what, *numbers = sys.argv[1:]
    if what not in ("postgresql", ONE_SIZE):
        raise SystemExit("growth: PostgreSQL only; its rows are made with generate_series.")
    # Ended from outside, it still drops its database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = tuple(int(size) for size in numbers) or SIZES
    with stage("postgresql") as current:
        os.environ.update(current.env)
        import django

        django.setup()
        if what == ONE_SIZE:
            print(json.dumps(_grow(current, sizes[:1])[sizes[0]]))
        else:
            print(json.dumps(run(current, sizes)))


if __name__ == "__main__":
    main()
