"""Scenario latency: the time from the commit of a publish to the receiver's first byte.

python -m benchmarks.latency postgresql [EVENTS_PER_SECOND] [SECONDS]
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable

from benchmarks.load import percentile
from benchmarks.stage import Stage, stage, wait_until

RATE = 50
SECONDS = 20


def offer(
    send: Callable[[int], object], *, rate: float, seconds: float, start: int = 0
) -> dict[str, int]:
    """Call `send` with markers at a steady rate; return marker -> Unix nanoseconds of commit."""
    committed: dict[str, int] = {}
    begin = time.monotonic()
    for n in range(int(rate * seconds)):
        pause = begin + n / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        marker = start + n
        send(marker)
        committed[str(marker)] = time.time_ns()
    return committed


def latencies_ms(current: Stage, committed: dict[str, int]) -> list[float]:
    """Return the milliseconds from commit to first arrival; every marker must arrive."""
    arrived: dict[str, int] = {}

    def complete() -> bool:
        for at, _, marker in current.arrivals():
            arrived.setdefault(marker, at)
        return committed.keys() <= arrived.keys()

    wait_until(complete, seconds=60, what="arrivals")
    # A pump may see the commit before the publisher reads its clock: the time is never below zero.
    return [max(0.0, (arrived[m] - at) / 1e6) for m, at in committed.items()]


def run(current: Stage, rate: float, seconds: float) -> dict[str, float]:
    from benchmarks import seed
    from deliveries.publishing import publish

    current.start_receiver()
    tenant = seed.broadcaster().broadcaster
    url = f"http://127.0.0.1:{current.receiver_port}/hook/{{n}}"
    seed.endpoints(tenant, 1, url)
    current.start_workers()

    def send(marker: int) -> None:
        publish(broadcaster=tenant, topic="purchase.completed", data={"n": marker})

    latencies_ms(current, offer(send, rate=1, seconds=1, start=10_000_000))
    values = latencies_ms(current, offer(send, rate=rate, seconds=seconds))
    return {
        "latency_p50_ms": statistics.median(values),
        "latency_p99_ms": percentile(values, 0.99),
    }


def main() -> None:
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else RATE
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    with stage(sys.argv[1]) as current:
        os.environ.update(current.env)
        import django

        django.setup()
        print(json.dumps(run(current, rate, seconds)))


if __name__ == "__main__":
    main()
