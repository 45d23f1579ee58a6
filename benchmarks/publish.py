"""Scenario publish: events over HTTP through the real server and API, compared with a bare view.

    python -m benchmarks.publish postgresql

Single events and batches are measured with no worker running, so that the ratio to the bare view
is that of the two publishing paths; the last figure is measured while the workers drain.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from benchmarks.stage import Stage, stage, wait_until

CONNECTIONS = 16
# The two servers take turns, so that other work on the machine affects both.
SLICES = 2
SLICE_SECONDS = 5.0
BATCH_CONNECTIONS = 4
BATCH_SECONDS = 4.0
DRAINED = 20_000
DRAIN_ENDPOINTS = 10
RATE_UNDER_DRAIN = 50.0
API = "/api/v1/events"


class Publisher:
    """Starts the load generator against one server."""

    def __init__(self, current: Stage, port: int, token: str, path: str = API) -> None:
        self._current = current
        self._job: dict[str, Any] = {"port": port, "token": token, "path": path}

    def start(
        self,
        *,
        seconds: float,
        batch: int = 0,
        connections: int = CONNECTIONS,
        rate: float | None = None,
    ) -> subprocess.Popen[bytes]:
        job: dict[str, Any] = {
            **self._job,
            "path": self._job["path"] + ("/batch" if batch else ""),
            "connections": connections,
            "seconds": seconds,
            "batch": batch,
            "rate": rate,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", json.dumps(job)],
            env=self._current.env,
            stdout=subprocess.PIPE,
        )
        self._current.processes.append(process)
        return process

    def offer(self, **job: Any) -> dict[str, float]:
        return result(self.start(**job))


def result(process: subprocess.Popen[bytes]) -> dict[str, float]:
    output, _ = process.communicate(timeout=120)
    if process.returncode:
        raise RuntimeError("the load generator failed")
    figures: dict[str, float] = json.loads(output)
    return figures


def run(current: Stage) -> dict[str, float]:
    from benchmarks import seed

    current.start_receiver()
    made = seed.broadcaster()
    hook = f"http://127.0.0.1:{current.receiver_port}/hook/{{n}}"
    (endpoint,) = seed.endpoints(made.broadcaster, 1, hook)
    port = current.start_web()
    bare_port = current.start_web(bare=True, BENCH_ENDPOINT=str(endpoint.pk))
    publisher = Publisher(current, port, made.token)
    figures = singles(publisher, Publisher(current, bare_port, made.token, "/publish"))
    return figures | batches(publisher) | under_drain(current, publisher, hook)


def singles(publisher: Publisher, bare: Publisher) -> dict[str, float]:
    for each in (publisher, bare):
        each.offer(seconds=1.0)
    taken: dict[Publisher, list[dict[str, float]]] = {publisher: [], bare: []}
    for _ in range(SLICES):
        for each, slices in taken.items():
            slices.append(each.offer(seconds=SLICE_SECONDS))

    def rate(of: Publisher) -> float:
        return sum(s["requests"] for s in taken[of]) / sum(s["seconds"] for s in taken[of])

    def worst(name: str) -> float:
        return max(s[name] for s in taken[publisher])

    return {
        "publish_single_rate": rate(publisher),
        "publish_single_p50_ms": worst("p50_ms"),
        "publish_single_p99_ms": worst("p99_ms"),
        "bare_view_rate": rate(bare),
        "publish_single_ratio": rate(publisher) / rate(bare),
    }


def batches(publisher: Publisher) -> dict[str, float]:
    figures = {}
    for size in (100, 1_000):
        taken = publisher.offer(seconds=BATCH_SECONDS, batch=size, connections=BATCH_CONNECTIONS)
        figures[f"publish_batch_{size}_rate"] = taken["requests"] * size / taken["seconds"]
        for share in ("p50_ms", "p99_ms"):
            figures[f"publish_batch_{size}_{share}"] = taken[share]
    figures["publish_batch_rate"] = min(
        figures["publish_batch_100_rate"], figures["publish_batch_1000_rate"]
    )
    return figures


def under_drain(current: Stage, publisher: Publisher, hook: str) -> dict[str, float]:
    """Publish while another broadcaster's 20,000 deliveries are drained, in an emptied database."""
    from benchmarks import seed
    from deliveries.models import Delivery, Event

    Delivery.objects.all().delete()
    Event.objects.all().delete()
    busy = seed.broadcaster("Busy").broadcaster
    seed.deliveries(busy, seed.endpoints(busy, DRAIN_ENDPOINTS, hook), DRAINED)
    current.start_workers()
    wait_until(lambda: current.received() > 200, seconds=60, what="first deliveries")
    publishing = publisher.start(seconds=100.0, rate=RATE_UNDER_DRAIN)
    wait_until(lambda: current.received() >= DRAINED, seconds=90, what="drain")
    publishing.send_signal(signal.SIGTERM)
    return {"publish_p99_under_drain_ms": result(publishing)["p99_ms"]}


def main() -> None:
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current)))


if __name__ == "__main__":
    main()
