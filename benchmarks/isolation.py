"""Scenario isolation: what hanging endpoints and a neighbour's backlog cost the healthy.

    python -m benchmarks.isolation postgresql

The deliveries of one broadcaster with 90 healthy endpoints are drained, and then events are
published for it: first alone, then together with 10 more endpoints that accept a request and never
answer, and whose backlog is still there while the latency is measured. Then events are published
for a quiet broadcaster, first alone, then while the 100,000 deliveries of a third are drained.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from benchmarks.backlog import fill
from benchmarks.latency import RATE, latencies_ms, offer
from benchmarks.load import percentile
from benchmarks.stage import Stage, stage, wait_until

HEALTHY = 90
HANGING = 10
EACH = 200  # deliveries to each endpoint in a drain
OFFER_SECONDS = 10.0
# Must be shorter than the backlog lasts.
BACKLOG_OFFER_SECONDS = 6.0
# If a drain is not finished by then, the deliveries that have arrived count.
DRAIN_SECONDS = 40.0
SETTLE_IN = 200  # arrivals before the clock of a drain starts
TIMEOUT_SECONDS = 5.0  # of the platform that seed.broadcaster takes
BACKLOG = 100_000
BACKLOG_ENDPOINTS = 10


def run(current: Stage) -> dict[str, float]:
    current.start_receiver()
    current.start_workers()
    return _beside_hanging(current) | _beside_backlog(current)


def _beside_hanging(current: Stage) -> dict[str, float]:
    from benchmarks import seed

    tenant = seed.broadcaster().broadcaster
    at = f"http://127.0.0.1:{current.receiver_port}"
    healthy = seed.endpoints(tenant, HEALTHY, at + "/hook/{n}")
    hanging = seed.endpoints(tenant, HANGING, at + "/hang/{n}")
    _latency(current, tenant, healthy[:1], start=90_000_000, seconds=1.0)
    rate_alone = _drain(current, tenant, healthy, [], start=0)
    p99_alone = _latency(current, tenant, healthy, start=10_000_000)
    rate_beside = _drain(current, tenant, healthy, hanging, start=1_000_000)
    p99_beside = _latency(current, tenant, [*healthy, *hanging], start=20_000_000)
    _end(hanging)
    return {
        "healthy_rate_alone": rate_alone,
        "healthy_rate_beside_hanging": rate_beside,
        "isolation_rate_ratio": rate_beside / rate_alone,
        "healthy_p99_alone_ms": p99_alone,
        "healthy_p99_beside_hanging_ms": p99_beside,
        "isolation_p99_ratio": p99_beside / p99_alone,
    }


def _beside_backlog(current: Stage) -> dict[str, float]:
    from benchmarks import seed

    quiet = seed.broadcaster("Quiet").broadcaster
    busy = seed.broadcaster("Busy").broadcaster
    at = f"http://127.0.0.1:{current.receiver_port}"
    (endpoint,) = seed.endpoints(quiet, 1, at + "/quiet/{n}")
    _latency(current, quiet, [endpoint], start=90_000_000, seconds=1.0)
    alone = _latency(current, quiet, [endpoint], start=10_000_000, seconds=BACKLOG_OFFER_SECONDS)
    _pause(busy, True)
    fill(busy, seed.endpoints(busy, BACKLOG_ENDPOINTS, at + "/hook/{n}"), BACKLOG)
    before = current.received()
    _pause(busy, False)
    wait_until(lambda: current.received() > before + SETTLE_IN, seconds=60, what="the backlog")
    beside = _latency(current, quiet, [endpoint], start=20_000_000, seconds=BACKLOG_OFFER_SECONDS)
    # Otherwise part of the time was measured without a neighbour.
    assert current.received() - before < BACKLOG, "the backlog was drained too early"
    return {
        "quiet_p99_alone_ms": alone,
        "quiet_p99_beside_backlog_ms": beside,
        "quiet_broadcaster_p99_ratio": beside / alone,
    }


def _end(hanging: list[Any]) -> None:
    """Cancel what is queued for them, and wait until nothing is in flight."""
    from deliveries.models import Delivery

    queued = Delivery.objects.filter(endpoint__in=hanging, status="pending")
    queued.update(status="cancelled", next_attempt_at=None)
    time.sleep(TIMEOUT_SECONDS + 1)


def _pause(tenant: Any, paused: bool) -> None:
    """Pause the broadcaster while rows are inserted, so that the workers start on all at once."""
    tenant.paused = paused
    tenant.save(update_fields=["paused"])
    if paused:
        time.sleep(1.5)  # a worker may look at a broadcaster once a second


def _drain(
    current: Stage, tenant: Any, healthy: list[Any], hanging: list[Any], *, start: int
) -> float:
    """Return the deliveries per second to the healthy endpoints."""
    from benchmarks import seed

    _pause(tenant, True)
    targets = [*healthy, *hanging]
    seed.deliveries(tenant, targets, EACH * len(targets), start=start)
    current.arrivals()
    _pause(tenant, False)
    end = time.monotonic() + DRAIN_SECONDS
    arrived: list[int] = []
    while len(arrived) < EACH * len(healthy) and time.monotonic() < end:
        time.sleep(0.2)
        arrived += [ns for ns, path, _ in current.arrivals() if path.startswith("/hook/")]
    now = time.time_ns()
    arrived.sort()
    _wait_until_settled(healthy)
    through = len(arrived) == EACH * len(healthy)
    seconds = ((arrived[-1] if through else now) - arrived[SETTLE_IN]) / 1e9
    return (len(arrived) - SETTLE_IN) / seconds


def _wait_until_settled(healthy: list[Any]) -> None:
    """Wait until the queue is empty, so that the next measurement starts from a quiet system."""
    from deliveries.models import Delivery

    queued = Delivery.objects.filter(endpoint__in=healthy, status="pending")
    wait_until(lambda: not queued.exists(), seconds=60, what="settle")
    time.sleep(1)


def _latency(
    current: Stage, tenant: Any, targets: list[Any], *, start: int, seconds: float = OFFER_SECONDS
) -> float:
    """Publish for each target in turn; return the p99 in milliseconds of the healthy ones."""
    from django.db import transaction

    from benchmarks import seed
    from deliveries.workers.wake import wake_on_commit

    sound: set[str] = set()

    def send(marker: int) -> None:
        target = targets[marker % len(targets)]
        with transaction.atomic():
            seed.deliveries(tenant, [target], 1, start=marker)
            wake_on_commit()
        if "/hang/" not in target.url:
            sound.add(str(marker))

    committed = offer(send, rate=RATE, seconds=seconds, start=start)
    values = latencies_ms(current, {m: at for m, at in committed.items() if m in sound})
    return percentile(values, 0.99)


def main() -> None:
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current)))


if __name__ == "__main__":
    main()
