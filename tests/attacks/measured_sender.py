"""Sends to each URL given, many at once, and prints by how many KiB its memory grew at the peak,
once warmed up, with the failures met. Started by test_memory.py."""

from __future__ import annotations

import gc
import json
import re
import sys
from collections import Counter
from pathlib import Path

from deliveries.diagnosis import classify
from tests.deliveries.transports import open_transport, request, results

AT_ONCE = 20
ROUNDS = 2


def kib(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def main(urls: list[str]) -> None:
    met: Counter[str] = Counter()
    with open_transport() as transport:

        def run_once() -> None:
            for url in urls:
                for number in range(AT_ONCE):
                    transport.add(request(url, key=number, timeout_seconds=15.0))
                for result in results(transport, AT_ONCE):
                    met[classify(result, success_codes=None).failure or ""] += 1

        run_once()
        gc.collect()
        # The peak is counted from here.
        Path("/proc/self/clear_refs").write_text("5")
        before = kib("VmRSS")
        for _ in range(ROUNDS):
            run_once()
        print(json.dumps({"grown_kib": kib("VmHWM") - before, "met": met}))


if __name__ == "__main__":
    main(sys.argv[1:])
