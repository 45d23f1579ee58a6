"""Scenario fanout: one event for 1,000 endpoints, from its commit to the last arrival.

    python -m benchmarks.fanout postgresql

The workers are warm. An event is published when all deliveries of the one before have arrived and
all outcomes are written. The figures are the medians of five events.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time

from benchmarks.stage import Stage, stage, wait_until

ENDPOINTS = 1_000
EVENTS = 5


def run(current: Stage) -> dict[str, float]:
    from benchmarks import seed
    from deliveries.models import Delivery
    from deliveries.publishing import publish

    current.start_receiver()
    tenant = seed.broadcaster().broadcaster
    seed.endpoints(tenant, ENDPOINTS, f"http://127.0.0.1:{current.receiver_port}/hook/{{n}}")
    current.start_workers()
    publish_ms: list[float] = []
    first_ms: list[float] = []
    last_ms: list[float] = []
    for n in range(EVENTS + 1):
        before = time.monotonic()
        publish(broadcaster=tenant, topic="purchase.completed", data={"n": n})
        committed = time.time_ns()
        publish_ms.append((time.monotonic() - before) * 1000)
        arrived = _arrivals(current)
        first_ms.append(max(0.0, (arrived[0] - committed) / 1e6))
        last_ms.append((arrived[-1] - committed) / 1e6)
        wait_until(
            lambda: not Delivery.objects.filter(status="pending").exists(),
            seconds=30,
            what="settle",
        )
    # The first one waited for the workers to start.
    return {
        "fanout_ms": statistics.median(last_ms[1:]),
        "fanout_first_ms": statistics.median(first_ms[1:]),
        "fanout_publish_ms": statistics.median(publish_ms[1:]),
    }


def _arrivals(current: Stage) -> list[int]:
    """Return when each endpoint received the event, in Unix nanoseconds, sorted."""
    arrived: dict[str, int] = {}

    def complete() -> bool:
        for at, path, _ in current.arrivals():
            arrived.setdefault(path, at)
        return len(arrived) == ENDPOINTS

    wait_until(complete, seconds=60, what="arrivals")
    return sorted(arrived.values())


def main() -> None:
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current)))


if __name__ == "__main__":
    main()
