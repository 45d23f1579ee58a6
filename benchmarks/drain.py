"""Scenario drain: the real workers send and log queued deliveries.

python -m benchmarks.drain postgresql
"""

from __future__ import annotations

import json
import os
import sys

from benchmarks.stage import (
    Stage,
    cpu_seconds,
    database_processes,
    peak_memory_mb,
    stage,
    wait_until,
    worker_processes,
)

DELIVERIES = 20_000
ENDPOINTS = 10


def run(current: Stage) -> dict[str, float]:
    from benchmarks import seed
    from deliveries.models import Attempt, Delivery

    current.start_receiver()
    tenant = seed.broadcaster().broadcaster
    url = f"http://127.0.0.1:{current.receiver_port}/hook/{{n}}"
    seed.deliveries(tenant, seed.endpoints(tenant, ENDPOINTS, url), DELIVERIES)
    workers = current.start_workers()
    wait_until(lambda: current.received() > 200, seconds=60, what="first deliveries")
    processes, databases = worker_processes(workers), database_processes(current)
    begin_count = current.received()
    cpu, database_cpu = cpu_seconds(processes), cpu_seconds(databases)

    def drained() -> bool:
        return current.received() >= DELIVERIES

    wait_until(drained, seconds=120, what="drain")
    wait_until(
        lambda: not Delivery.objects.filter(status="pending").exists(), seconds=30, what="settle"
    )
    sent = DELIVERIES - begin_count
    assert Attempt.objects.filter(outcome="succeeded").count() == DELIVERIES
    return {
        "drain_rate": current.arrival_rate(),
        "dispatcher_cpu_us": (cpu_seconds(processes) - cpu) / sent * 1e6,
        "database_cpu_us": (cpu_seconds(databases) - database_cpu) / sent * 1e6,
        "drain_memory_peak_mb": peak_memory_mb(processes),
    }


def main() -> None:
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current)))


if __name__ == "__main__":
    main()
