"""Lanes: the endpoints that have something due.

A claim takes from many lanes, from each up to its quota, so that one endpoint's backlog never
stands before another's event.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.records import CLAIM_COLUMNS, LaneRow
from deliveries.dispatch.store.statements import WINDOW

MAX_LANES_PER_SCAN = 500
# For this long after a full scan, later scans start at the oldest row that the scan found due:
# everything before it is dead tuples that VACUUM has not reclaimed, which can be hours of them
# while a pg_dump holds VACUUM off. What appears before that place meanwhile waits for the next full
# scan: deliveries given back by a run that ended or put back to an earlier plan, those of a
# broadcaster that is no longer paused, and in a long lane an insert that commits late.
_FULL_SCAN_EVERY_SECONDS = 1.0
# A full scan that takes long is repeated less often, so that full scans take one part in this many
# of our time, and yet at least this often.
_MIN_PARTS_BETWEEN_SCANS = 20
_MAX_SECONDS_BETWEEN_SCANS = 10.0
# An insert may commit this much later than the moment at which it says that its row is due.
_MAX_COMMIT_DELAY = timedelta(seconds=5)
# After a scan has found the queue longer than the window, the next ones take it for long without
# counting again: one statement less for each claim.
_LONG_QUEUE_SECONDS = 0.25

_ENDPOINT = CLAIM_COLUMNS.index("endpoint_id")


class Lane(NamedTuple):
    """An endpoint with something due, as it is at this moment."""

    endpoint_id: int
    broadcaster_id: int
    rate_limit: int | None  # requests per second
    is_sendable: bool


class LaneSearch:
    """Finds the lanes of the moment: all of them or, if the queue is long, the next ones in turn.

    It remembers from which place on something can be due, in the whole queue and in each lane, so
    that a scan does not walk through dead tuples again and again.
    """

    def __init__(self, *, lanes_per_scan: int = MAX_LANES_PER_SCAN) -> None:
        self._store = current_store()
        self._lanes_per_scan = lanes_per_scan
        # The last endpoint that a scan in turn has seen, and the one before that scan.
        self._last_endpoint = self._endpoint_before = 0
        self._is_long_until = 0.0
        # Endpoints that had something due, with the place from which on; None: from the beginning.
        self._known: dict[int, Any] = {}
        # The place from which on something can be due in all other lanes.
        self._since: Any = None
        self._full_scan_at = 0.0

    def scan(self, now: datetime) -> list[Lane]:
        begin = time.monotonic()
        self._endpoint_before = self._last_endpoint
        is_full = begin >= self._full_scan_at
        if is_full:
            self._known.clear()
            self._since = None
        lanes = None
        if begin >= self._is_long_until:
            lanes = self._all_lanes(now)
            is_long = lanes is None
            self._is_long_until = _next_scan(begin, _LONG_QUEUE_SECONDS) if is_long else 0.0
        if lanes is None:
            lanes = self._lanes_in_turn(now)
        if is_full:
            self._full_scan_at = _next_scan(begin, _FULL_SCAN_EVERY_SECONDS)
        return lanes

    def repeat(self) -> None:
        """Of many lanes, let the next scan give the same ones as the last."""
        self._last_endpoint = self._endpoint_before

    def forget(self) -> None:
        """Deliveries were given back: let the next scan be a full one."""
        self._full_scan_at = 0.0

    def _all_lanes(self, now: datetime) -> list[Lane] | None:
        """All lanes, or None if the queue is longer than the window."""
        rows = self._store.oldest_lanes(now, since=self._since, known=self._known)
        # Paused broadcasters count too, since their deliveries take up the window.
        if sum(row.due_count for row in rows) >= WINDOW:
            return None
        self._last_endpoint = 0
        self._remember([row.endpoint_id for row in rows], now)
        return [_lane(row) for row in rows if not row.is_paused]

    def _lanes_in_turn(self, now: datetime) -> list[Lane]:
        started_after = self._last_endpoint
        lanes = self._next_lanes(now)
        if not lanes and started_after:
            started_after = self._last_endpoint = 0
            lanes = self._next_lanes(now)
        is_end = len(lanes) < self._lanes_per_scan
        self._last_endpoint = 0 if is_end else lanes[-1].endpoint_id
        if not started_after and is_end:
            self._remember([lane.endpoint_id for lane in lanes], now)
        return lanes

    def _next_lanes(self, now: datetime) -> list[Lane]:
        """The lanes after the last one seen, by endpoint id."""
        rows = self._store.next_lanes(
            now, after=self._last_endpoint, known=self._known, limit=self._lanes_per_scan
        )
        return [_lane(row) for row in rows]

    def _remember(self, endpoint_ids: list[int], now: datetime) -> None:
        """After a full scan: these endpoints are all that have something due."""
        if self._since is None:
            self._since = self._store.place(now - _MAX_COMMIT_DELAY)
            self._known = {pk: self._known.get(pk) for pk in endpoint_ids}
            self._is_long_until = 0.0

    def claim(
        self, now: datetime, *, lease_id: int, quotas: Mapping[int, int]
    ) -> tuple[Sequence[Sequence[Any]], Counter[int]]:
        """Claim as `Store.claim` does, from where something can be due.

        Returns the rows, and how many there are of each endpoint.
        """
        since = {pk: self._known.get(pk, self._since) for pk in quotas}
        rows = self._store.claim(now, lease_id=lease_id, quotas=quotas, since=since)
        counts: Counter[int] = Counter()
        newest: dict[int, Any] = {}
        for row in rows:
            endpoint_id, place = row[_ENDPOINT], row[-1]
            counts[endpoint_id] += 1
            if endpoint_id not in newest or place > newest[endpoint_id]:
                newest[endpoint_id] = place
        for endpoint_id, quota in quotas.items():
            # A lane that gave the one delivery it was asked for may have had no more.
            if counts[endpoint_id] == quota and (quota > 1 or endpoint_id in self._known):
                self._known[endpoint_id] = newest[endpoint_id]
            else:
                self._known.pop(endpoint_id, None)
        return rows, counts


def _lane(row: LaneRow) -> Lane:
    return Lane(row.endpoint_id, row.broadcaster_id, row.rate_limit, row.is_sendable)


def _next_scan(begin: float, seconds: float) -> float:
    """When to repeat a scan that began at the monotonic time `begin` and ends now: `seconds` from
    now, later if it took long."""
    end = time.monotonic()
    pause = max(seconds, _MIN_PARTS_BETWEEN_SCANS * (end - begin))
    return end + min(pause, _MAX_SECONDS_BETWEEN_SCANS)
