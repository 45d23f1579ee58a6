"""Whose lanes a claim takes from, where somebody has a backlog and where nobody has."""

from __future__ import annotations

from collections import Counter

import pytest

from deliveries.dispatch.fair_queue import CLAIM_BATCH, SHARED_CLAIM_BATCH, Turn, Turns
from deliveries.dispatch.lanes import Lane

BUSY, QUIET = 10, 20
BUSY_LANES = [Lane(n, BUSY, None, True) for n in (1, 2)]
QUIET_LANE = Lane(3, QUIET, None, True)
LANES = [*BUSY_LANES, QUIET_LANE]


def turns_beside_a_backlog() -> Turns:
    turns = Turns()
    turns.learn(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 5, 2: 5, 3: 1}))
    return turns


def test_without_a_backlog_a_claim_is_large_and_of_all() -> None:
    turns = Turns()
    turns.learn(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 1, 2: 4, 3: 1}))
    assert turns.next(LANES) == Turn(LANES, CLAIM_BATCH, False)
    assert not turns.is_shared


def test_a_backlog_that_nobody_is_beside_is_claimed_in_large_batches() -> None:
    turns = turns_beside_a_backlog()
    assert turns.next(BUSY_LANES) == Turn(BUSY_LANES, CLAIM_BATCH, False)
    assert not turns.is_shared


def test_beside_a_backlog_the_others_have_every_second_claim_and_the_rest_is_small() -> None:
    turns = turns_beside_a_backlog()
    assert turns.next(LANES) == Turn([QUIET_LANE], CLAIM_BATCH, True)
    turns.note(Turn([QUIET_LANE], CLAIM_BATCH, True), 1)
    assert turns.next(LANES) == Turn(LANES, SHARED_CLAIM_BATCH, False)
    assert turns.next(LANES) == Turn([QUIET_LANE], CLAIM_BATCH, True)
    assert turns.is_shared
    assert turns.next(BUSY_LANES) == Turn(BUSY_LANES, SHARED_CLAIM_BATCH, False)


def test_one_lane_of_many_makes_a_backlog() -> None:
    turns = Turns()
    turns.learn(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 5, 2: 1, 3: 1}))
    assert turns.of_others(LANES).lanes == [QUIET_LANE]


def test_who_gave_the_one_that_was_asked_for_may_have_had_no_more() -> None:
    turns = Turns()
    turns.learn(LANES, {1: 1, 2: 1, 3: 1}, Counter({1: 1, 2: 1}))
    assert not turns.has_backlogs


def test_a_backlog_ends_with_the_claim_that_leaves_nothing_behind() -> None:
    turns = turns_beside_a_backlog()
    turns.learn(BUSY_LANES, {1: 1, 2: 1}, Counter({1: 1, 2: 1}))
    assert turns.has_backlogs, "that says nothing"
    turns.learn(BUSY_LANES, {1: 5, 2: 5}, Counter({1: 2, 2: 3}))
    assert not turns.has_backlogs


def test_where_all_have_a_backlog_nobody_is_let_in_first() -> None:
    turns = Turns()
    turns.learn(LANES, {1: 5, 2: 5, 3: 5}, Counter({1: 5, 2: 5, 3: 5}))
    assert not turns.of_others(LANES).lanes
    assert turns.next(LANES) == Turn(LANES, CLAIM_BATCH, False)


def test_each_kind_of_turn_goes_round_by_itself() -> None:
    turns = turns_beside_a_backlog()
    others = [QUIET_LANE, Lane(4, 30, None, True)]
    lanes = [*BUSY_LANES, *others]
    turns.pass_on(turns.next(lanes), 1)
    turns.pass_on(turns.next(lanes), 2)
    assert turns.next(lanes).lanes == [*reversed(others)]
    assert turns.next(lanes).lanes == [*others, *BUSY_LANES]


def test_others_whose_claim_took_nothing_do_not_make_the_backlogs_claims_small() -> None:
    """Their rate is used up, or their slots."""
    turns = turns_beside_a_backlog()
    turns.note(turns.next(LANES), 0)
    assert turns.next(LANES) == Turn(LANES, CLAIM_BATCH, False)
    assert turns.next(LANES) == Turn(LANES, CLAIM_BATCH, False), "and let the backlog go on"
    assert not turns.is_shared
    newcomer = Lane(4, 30, None, True)
    assert turns.of_others([*LANES, newcomer]).lanes == [newcomer]


def test_others_whose_claim_took_nothing_are_asked_again_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deliveries.dispatch.fair_queue.REST_SECONDS", 0.0)
    turns = turns_beside_a_backlog()
    turns.note(turns.next(LANES), 0)
    assert turns.of_others(LANES).lanes == [QUIET_LANE]


def test_a_backlog_that_no_claim_shows_again_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hundreds have something due, each is asked for one, which says nothing."""
    monkeypatch.setattr("deliveries.dispatch.fair_queue.BACKLOG_SECONDS", 0.0)
    turns = turns_beside_a_backlog()
    assert not turns.has_backlogs
    assert turns.next(LANES) == Turn(LANES, CLAIM_BATCH, False)
