"""Slots in flight: how many requests an endpoint and a broadcaster may have under way at once.

An endpoint starts small, gets a slot more with each answer, and loses half of them with each
timeout: one that never answers holds a handful, one that answers grows to its cap within a few
round trips. What is left free is never given to one endpoint whole, so that endpoints which stop
answering all at once cannot fill the worker.
"""

from __future__ import annotations

from collections import Counter

from django.conf import settings

FIRST_SLOTS = 8
_TIMEOUTS = {"timeout", "connect_timeout"}


class Slots:
    """Of one worker process; kept from run to run, so that what was learnt is not forgotten."""

    def __init__(self) -> None:
        self._most_per_endpoint: int = settings.WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT
        self._most_per_broadcaster: int = settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER
        self._first: int = min(FIRST_SLOTS, self._most_per_endpoint)
        self._caps: dict[int, int] = {}
        self._per_endpoint: Counter[int] = Counter()
        self._per_broadcaster: Counter[int] = Counter()

    def take(self, endpoint_id: int, broadcaster_id: int) -> None:
        self._per_endpoint[endpoint_id] += 1
        self._per_broadcaster[broadcaster_id] += 1

    def give_back(self, endpoint_id: int, broadcaster_id: int) -> None:
        self._per_endpoint[endpoint_id] -= 1
        self._per_broadcaster[broadcaster_id] -= 1
        if not self._per_endpoint[endpoint_id]:
            del self._per_endpoint[endpoint_id]

    def learn(self, endpoint_id: int, failure: str) -> None:
        """From the outcome of a request: a timeout halves the endpoint's cap, an answer adds to it."""
        cap = self.cap(endpoint_id)
        if failure in _TIMEOUTS:
            self._caps[endpoint_id] = max(1, cap // 2)
        elif cap < self._most_per_endpoint:
            self._caps[endpoint_id] = cap + 1

    def cap(self, endpoint_id: int) -> int:
        return self._caps.get(endpoint_id, self._first)

    def quotas(self, lanes: list[tuple[int, int]], room: int) -> dict[int, int]:
        """How many to claim of each lane (endpoint id, broadcaster id): equal shares of `room`,
        under the caps."""
        quotas: dict[int, int] = {}
        planned = Counter(self._per_broadcaster)
        share = max(1, room // len(lanes)) if lanes else 0
        for endpoint_id, broadcaster_id in lanes:
            in_flight = self._per_endpoint[endpoint_id]
            most = min(self.cap(endpoint_id), max(FIRST_SLOTS, in_flight + room // 4))
            quota = min(
                share,
                most - in_flight,
                self._most_per_broadcaster - planned[broadcaster_id],
                room,
            )
            if quota > 0:
                quotas[endpoint_id] = quota
                planned[broadcaster_id] += quota
                room -= quota
        return quotas
