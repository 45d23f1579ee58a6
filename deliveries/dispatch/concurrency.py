"""Concurrency limits: how many requests of an endpoint and of a broadcaster may be in flight.

An endpoint starts with a low limit, which grows by one with each response and is halved by each
timeout: one that never answers holds a handful of requests, one that answers reaches the highest
limit within a few round trips. No endpoint gets all of the room that is left, so that endpoints
which stop answering at the same time cannot fill the worker.
"""

from __future__ import annotations

from collections import Counter

from django.conf import settings

from deliveries.diagnosis import Failure

FIRST_LIMIT = 8
_TIMEOUTS = {Failure.TIMEOUT.value, Failure.CONNECT_TIMEOUT.value}


class ConcurrencyLimits:
    """The limits of a worker process, kept from run to run so that they need not be learnt again."""

    def __init__(self) -> None:
        self._max_per_endpoint: int = settings.WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT
        self._max_per_broadcaster: int = settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER
        self._first: int = min(FIRST_LIMIT, self._max_per_endpoint)
        self._limits: dict[int, int] = {}
        self._in_flight_of_endpoint: Counter[int] = Counter()
        self._in_flight_of_broadcaster: Counter[int] = Counter()

    def take(self, endpoint_id: int, broadcaster_id: int) -> None:
        """Count a request that starts."""
        self._in_flight_of_endpoint[endpoint_id] += 1
        self._in_flight_of_broadcaster[broadcaster_id] += 1

    def give_back(self, endpoint_id: int, broadcaster_id: int) -> None:
        """Count a request that has ended."""
        self._in_flight_of_endpoint[endpoint_id] -= 1
        self._in_flight_of_broadcaster[broadcaster_id] -= 1
        if not self._in_flight_of_endpoint[endpoint_id]:
            del self._in_flight_of_endpoint[endpoint_id]

    def adjust(self, endpoint_id: int, failure: str) -> None:
        """Change the endpoint's limit after an attempt with this failure, "" for a success."""
        limit = self.limit(endpoint_id)
        if failure in _TIMEOUTS:
            self._limits[endpoint_id] = max(1, limit // 2)
        elif limit < self._max_per_endpoint:
            self._limits[endpoint_id] = limit + 1

    def limit(self, endpoint_id: int) -> int:
        return self._limits.get(endpoint_id, self._first)

    def quotas(self, lanes: list[tuple[int, int]], room: int) -> dict[int, int]:
        """How many deliveries to claim of each lane (endpoint id, broadcaster id): equal shares of
        `room`, within the limits."""
        quotas: dict[int, int] = {}
        planned = Counter(self._in_flight_of_broadcaster)
        share = max(1, room // len(lanes)) if lanes else 0
        for endpoint_id, broadcaster_id in lanes:
            in_flight = self._in_flight_of_endpoint[endpoint_id]
            limit = min(self.limit(endpoint_id), max(FIRST_LIMIT, in_flight + room // 4))
            quota = min(
                share,
                limit - in_flight,
                self._max_per_broadcaster - planned[broadcaster_id],
                room,
            )
            if quota > 0:
                quotas[endpoint_id] = quota
                planned[broadcaster_id] += quota
                room -= quota
        return quotas
