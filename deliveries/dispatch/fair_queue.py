"""The fair queue: from whose lanes a claim takes, in which order, and how much.

A broadcaster is congested while claims leave some of its due deliveries behind. What the
uncongested broadcasters have due then goes out by claims of its own, which do not wait until a large
claim is prepared and sent; and claims from congested ones are small, so that the next scan is near.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from deliveries.dispatch.lanes import Lane

MAX_CLAIM = 500
MAX_SHARED_CLAIM = 32
# After a claim that took something of uncongested broadcasters, claims stay small for this long.
SHARED_SECONDS = 1.0
# Uncongested lanes whose claim took nothing (their rate or their concurrency limit is used up) wait
# this long for the next claim of their own.
REST_SECONDS = 0.02
# A broadcaster that no claim has found congested for this long no longer counts as congested. If
# very many lanes have something due, a claim takes one delivery of each, and finds nobody congested.
CONGESTED_SECONDS = 5.0


class Turn(NamedTuple):
    """A claim to make: from these lanes, at most `limit` deliveries."""

    lanes: Sequence[Lane]
    limit: int
    is_uncongested: bool  # only lanes of uncongested broadcasters, while another is congested


class FairQueue:
    """The order of the claims of one pump run."""

    def __init__(self) -> None:
        # Congested broadcasters, and until which monotonic time each counts as one.
        self._congested: dict[int, float] = {}
        self._shared_until = 0.0
        self._resting: frozenset[int] = frozenset()  # endpoint ids
        self._rest_until = 0.0
        self._was_uncongested = False
        # At which lane the next turn of each kind begins: every lane is first once in a while.
        self._first: Counter[bool] = Counter()

    @property
    def is_shared(self) -> bool:
        """Whether one broadcaster is congested while another has something due now and then."""
        return time.monotonic() < self._shared_until

    @property
    def has_congested(self) -> bool:
        now = time.monotonic()
        return any(now < until for until in self._congested.values())

    def next(self, lanes: Sequence[Lane]) -> Turn:
        """Every second turn is of all lanes, so that uncongested ones cannot take every turn."""
        turn = self.uncongested(lanes)
        if self._was_uncongested or not turn.lanes:
            limit = MAX_SHARED_CLAIM if self.is_shared else MAX_CLAIM
            turn = Turn(self._rotated(lanes, is_uncongested=False), limit, is_uncongested=False)
        self._was_uncongested = turn.is_uncongested
        return turn

    def uncongested(self, lanes: Sequence[Lane]) -> Turn:
        """The lanes of uncongested broadcasters; none if nobody is congested."""
        now = time.monotonic()
        congested = {pk for pk, until in self._congested.items() if now < until}
        others = [lane for lane in lanes if lane.broadcaster_id not in congested]
        if len(others) == len(lanes):
            others = []
        elif now < self._rest_until:
            others = [lane for lane in others if lane.endpoint_id not in self._resting]
        return Turn(self._rotated(others, is_uncongested=True), MAX_CLAIM, is_uncongested=True)

    def record(self, turn: Turn, claimed_count: int) -> None:
        """Note how many deliveries a claim from uncongested lanes took."""
        if claimed_count:
            self._shared_until = time.monotonic() + SHARED_SECONDS
        else:
            self._resting = frozenset(lane.endpoint_id for lane in turn.lanes)
            self._rest_until = time.monotonic() + REST_SECONDS

    def advance(self, turn: Turn, served_count: int) -> None:
        """After a turn whose first `served_count` lanes got their share, let the next ones begin."""
        self._first[turn.is_uncongested] += served_count

    def observe(
        self, lanes: Iterable[Lane], quotas: Mapping[int, int], claimed: Mapping[int, int]
    ) -> None:
        """Learn from a claim who is congested. quotas, claimed: deliveries by endpoint id."""
        owners = {lane.endpoint_id: lane.broadcaster_id for lane in lanes}
        until = time.monotonic() + CONGESTED_SECONDS
        for pk, quota in quotas.items():
            if claimed[pk] < quota:
                self._congested.pop(owners[pk], None)
        for pk, quota in quotas.items():
            # A lane that gave the one delivery it was asked for may have had no more.
            if claimed[pk] == quota > 1:
                self._congested[owners[pk]] = until

    def _rotated(self, lanes: Sequence[Lane], *, is_uncongested: bool) -> Sequence[Lane]:
        first = self._first[is_uncongested] % (len(lanes) or 1)
        return [*lanes[first:], *lanes[:first]]
