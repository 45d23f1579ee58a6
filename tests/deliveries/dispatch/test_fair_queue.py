"""Whose lanes a claim takes from, where somebody has a backlog and where nobody has."""

from __future__ import annotations

from collections import Counter

import pytest

from deliveries.dispatch.fair_queue import MAX_CLAIM, MAX_SHARED_CLAIM, FairQueue, Turn
from deliveries.dispatch.lanes import Lane

BUSY, QUIET = 10, 20
BUSY_LANES = [Lane(n, BUSY, None, True) for n in (1, 2)]
QUIET_LANE = Lane(3, QUIET, None, True)
LANES = [*BUSY_LANES, QUIET_LANE]


def congested_queue() -> FairQueue:
    queue = FairQueue()
    queue.observe(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 5, 2: 5, 3: 1}))
    return queue


def test_without_a_backlog_a_claim_is_large_and_of_all() -> None:
    queue = FairQueue()
    queue.observe(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 1, 2: 4, 3: 1}))
    assert queue.next(LANES) == Turn(LANES, MAX_CLAIM, False)
    assert not queue.is_shared


def test_a_backlog_that_nobody_is_beside_is_claimed_in_large_batches() -> None:
    queue = congested_queue()
    assert queue.next(BUSY_LANES) == Turn(BUSY_LANES, MAX_CLAIM, False)
    assert not queue.is_shared


def test_beside_a_backlog_the_others_have_every_second_claim_and_the_rest_is_small() -> None:
    queue = congested_queue()
    assert queue.next(LANES) == Turn([QUIET_LANE], MAX_CLAIM, True)
    queue.record(Turn([QUIET_LANE], MAX_CLAIM, True), 1)
    assert queue.next(LANES) == Turn(LANES, MAX_SHARED_CLAIM, False)
    assert queue.next(LANES) == Turn([QUIET_LANE], MAX_CLAIM, True)
    assert queue.is_shared
    assert queue.next(BUSY_LANES) == Turn(BUSY_LANES, MAX_SHARED_CLAIM, False)


def test_one_lane_of_many_makes_a_backlog() -> None:
    queue = FairQueue()
    queue.observe(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 5, 2: 1, 3: 1}))
    assert queue.uncongested(LANES).lanes == [QUIET_LANE]


def test_who_gave_the_one_that_was_asked_for_may_have_had_no_more() -> None:
    queue = FairQueue()
    queue.observe(LANES, {1: 1, 2: 1, 3: 1}, Counter({1: 1, 2: 1}))
    assert not queue.has_congested


def test_a_backlog_ends_with_the_claim_that_leaves_nothing_behind() -> None:
    queue = congested_queue()
    queue.observe(BUSY_LANES, {1: 1, 2: 1}, Counter({1: 1, 2: 1}))
    assert queue.has_congested, "that says nothing"
    queue.observe(BUSY_LANES, {1: 5, 2: 5}, Counter({1: 2, 2: 3}))
    assert not queue.has_congested


def test_where_all_have_a_backlog_nobody_is_let_in_first() -> None:
    queue = FairQueue()
    queue.observe(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 5, 2: 5, 3: 5}))
    assert not queue.uncongested(LANES).lanes
    assert queue.next(LANES) == Turn(LANES, MAX_CLAIM, False)


def test_each_kind_of_turn_goes_round_by_itself() -> None:
    queue = congested_queue()
    others = [QUIET_LANE, Lane(4, 30, None, True)]
    lanes = [*BUSY_LANES, *others]
    queue.advance(queue.next(lanes), 1)
    queue.advance(queue.next(lanes), 2)
    assert queue.next(lanes).lanes == [*reversed(others)]
    assert queue.next(lanes).lanes == [*others, *BUSY_LANES]


def test_others_whose_claim_took_nothing_do_not_make_the_backlogs_claims_small() -> None:
    """Their rate is used up, or their slots."""
    queue = congested_queue()
    queue.record(queue.next(LANES), 0)
    assert queue.next(LANES) == Turn(LANES, MAX_CLAIM, False)
    assert queue.next(LANES) == Turn(LANES, MAX_CLAIM, False), "and let the backlog go on"
    assert not queue.is_shared
    newcomer = Lane(4, 30, None, True)
    assert queue.uncongested([*LANES, newcomer]).lanes == [newcomer]


def test_others_whose_claim_took_nothing_are_asked_again_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deliveries.dispatch.fair_queue.REST_SECONDS", 0.0)
    queue = congested_queue()
    queue.record(queue.next(LANES), 0)
    assert queue.uncongested(LANES).lanes == [QUIET_LANE]


def test_a_backlog_that_no_claim_shows_again_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hundreds have something due, each is asked for one, which says nothing."""
    monkeypatch.setattr("deliveries.dispatch.fair_queue.CONGESTED_SECONDS", 0.0)
    queue = congested_queue()
    assert not queue.has_congested
    assert queue.next(LANES) == Turn(LANES, MAX_CLAIM, False)
