"""Turns: whose lanes a claim takes from, in which order, and how much at a time.

A broadcaster has a backlog where a claim left some of what it has due behind. What others have due
then goes out by claims of its own: those do not wait until a large claim is prepared and sent. And
what is claimed of backlogs is small, so that the next look at the lanes is near.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from deliveries.dispatch.lanes import Lane

CLAIM_BATCH = 500
SHARED_CLAIM_BATCH = 32
# How long we take a backlog for one that others are beside, after the last claim that took something
# of theirs.
SHARED_SECONDS = 1.0
# Others whose claim took nothing (their rate or their slots are used up) wait this long for the next.
REST_SECONDS = 0.02
# A backlog that no claim has shown again for as long as this is none: where many have something due,
# a claim asks one of each, and says nothing.
BACKLOG_SECONDS = 5.0


class Turn(NamedTuple):
    """A claim to be made: of these lanes, this many deliveries at the most."""

    lanes: Sequence[Lane]
    most: int
    is_of_others: bool  # who have no backlog, while somebody has


class Turns:
    """Of one run of a pump."""

    def __init__(self) -> None:
        # Broadcasters, and until when each is taken to have a backlog.
        self._backlogged: dict[int, float] = {}
        self._shared_until = 0.0
        self._resting: frozenset[int] = frozenset()  # endpoint ids
        self._rest_until = 0.0
        self._others_were_last = False
        # Where in the lanes of its kind the next turn begins: each has its time to be first.
        self._first: Counter[bool] = Counter()

    @property
    def is_shared(self) -> bool:
        """Whether somebody has a backlog, and somebody else something due now and then."""
        return time.monotonic() < self._shared_until

    def next(self, lanes: Sequence[Lane]) -> Turn:
        """Every second turn is of all lanes, so that those without a backlog cannot take all."""
        turn = self.of_others(lanes)
        if self._others_were_last or not turn.lanes:
            most = SHARED_CLAIM_BATCH if self.is_shared else CLAIM_BATCH
            turn = Turn(self._in_turn(lanes, is_of_others=False), most, is_of_others=False)
        self._others_were_last = turn.is_of_others
        return turn

    def of_others(self, lanes: Sequence[Lane]) -> Turn:
        """The lanes of those without a backlog; none where nobody has one."""
        now = time.monotonic()
        backlogged = {pk for pk, until in self._backlogged.items() if now < until}
        others = [lane for lane in lanes if lane.broadcaster_id not in backlogged]
        if len(others) == len(lanes):
            others = []
        elif now < self._rest_until:
            others = [lane for lane in others if lane.endpoint_id not in self._resting]
        return Turn(self._in_turn(others, is_of_others=True), CLAIM_BATCH, is_of_others=True)

    def note(self, turn: Turn, claimed: int) -> None:
        """How many a claim of others took."""
        if claimed:
            self._shared_until = time.monotonic() + SHARED_SECONDS
        else:
            self._resting = frozenset(lane.endpoint_id for lane in turn.lanes)
            self._rest_until = time.monotonic() + REST_SECONDS

    @property
    def has_backlogs(self) -> bool:
        now = time.monotonic()
        return any(now < until for until in self._backlogged.values())

    def _in_turn(self, lanes: Sequence[Lane], *, is_of_others: bool) -> Sequence[Lane]:
        first = self._first[is_of_others] % (len(lanes) or 1)
        return [*lanes[first:], *lanes[:first]]

    def pass_on(self, turn: Turn, served: int) -> None:
        """After a turn in which the first `served` lanes got their share: the next are first."""
        self._first[turn.is_of_others] += served

    def learn(
        self, lanes: Iterable[Lane], quotas: Mapping[int, int], claimed: Mapping[int, int]
    ) -> None:
        """Who has a backlog, from a claim. quotas and claimed: deliveries by endpoint id."""
        owners = {lane.endpoint_id: lane.broadcaster_id for lane in lanes}
        until = time.monotonic() + BACKLOG_SECONDS
        for pk, quota in quotas.items():
            if claimed[pk] < quota:
                self._backlogged.pop(owners[pk], None)
        for pk, quota in quotas.items():
            # Who gave the one that was asked for may well have had no more.
            if claimed[pk] == quota > 1:
                self._backlogged[owners[pk]] = until
