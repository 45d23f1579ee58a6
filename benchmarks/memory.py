"""Scenario memory: 1,000 requests in flight, 100,000 in the backlog, 64 KiB in each response.

    python -m benchmarks.memory postgresql

The figure is the largest peak of any worker process. Every response comes a second after its
request, so that each dispatcher reaches its limit in flight. Neither one broadcaster nor one
endpoint may reach it alone, so there are several.
"""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks.backlog import fill
from benchmarks.stage import Stage, peak_memory_mb, stage, wait_until, worker_processes

BROADCASTERS = 5
ENDPOINTS = 50
BACKLOG = 100_000
SECONDS = 15.0


def run(current: Stage) -> dict[str, float]:
    from django.conf import settings

    from benchmarks import seed

    current.start_receiver()
    url = f"http://127.0.0.1:{current.receiver_port}/slow/{{n}}"
    for number in range(BROADCASTERS):
        tenant = seed.broadcaster(f"Broadcaster {number}").broadcaster
        fill(tenant, seed.endpoints(tenant, ENDPOINTS, url), BACKLOG // BROADCASTERS)
    workers = current.start_workers()
    wait_until(lambda: current.received() > 200, seconds=60, what="first deliveries")
    in_flight: list[int] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        in_flight.append(current.waiting())
        time.sleep(0.1)
    assert current.received() < BACKLOG, "the backlog was drained too early"
    return {
        "memory_peak_mb": peak_memory_mb(worker_processes(workers)),
        "memory_in_flight": max(in_flight) / settings.WEBHOOKS_PUMPS,
        "memory_rate": current.received() / SECONDS,
    }


def main() -> None:
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current)))


if __name__ == "__main__":
    main()
