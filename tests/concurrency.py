"""Runs the same call in several threads at the same moment, as several processes would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def run_concurrently(times: int, work: Callable[[], Result]) -> list[Result]:
    """Return what each call returned, or raise what one raised; each has its own connection."""
    start = threading.Barrier(times)

    def begin() -> Result:
        start.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        calls = [pool.submit(begin) for _ in range(times)]
    return [call.result() for call in calls]
