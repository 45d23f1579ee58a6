"""Concurrency limits: equal shares, and what timeouts and responses do to the limits."""

from __future__ import annotations

from typing import Any

import pytest

from deliveries.dispatch.concurrency import FIRST_LIMIT, ConcurrencyLimits


@pytest.fixture(autouse=True)
def caps(settings: Any) -> None:
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT = 100
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER = 500


def test_a_new_endpoint_starts_with_a_handful() -> None:
    assert ConcurrencyLimits().quotas([(1, 1)], 1000) == {1: FIRST_LIMIT}


def test_each_answer_adds_a_slot_up_to_the_cap() -> None:
    limits = ConcurrencyLimits()
    for _ in range(200):
        limits.adjust(1, "")
    assert limits.quotas([(1, 1)], 1000) == {1: 100}


def test_a_refusal_is_an_answer_too() -> None:
    limits = ConcurrencyLimits()
    limits.adjust(1, "http_5xx")
    assert limits.limit(1) == FIRST_LIMIT + 1


def test_timeouts_halve_the_share_down_to_one_and_answers_bring_it_back() -> None:
    limits = ConcurrencyLimits()
    for _ in range(10):
        limits.adjust(1, "timeout")
    assert limits.limit(1) == 1
    limits.adjust(1, "")
    assert limits.limit(1) == 2


def test_many_lanes_share_the_room_equally() -> None:
    lanes = [(n, n) for n in range(100)]
    assert set(ConcurrencyLimits().quotas(lanes, 200).values()) == {2}


def test_a_broadcasters_endpoints_together_stay_under_its_cap(settings: Any) -> None:
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER = 20
    lanes = [(n, 1) for n in range(10)] + [(99, 2)]
    quotas = ConcurrencyLimits().quotas(lanes, 1000)
    assert sum(count for endpoint, count in quotas.items() if endpoint != 99) == 20
    assert quotas[99] == FIRST_LIMIT


def test_what_is_in_flight_counts_until_it_is_given_back() -> None:
    limits = ConcurrencyLimits()
    for _ in range(FIRST_LIMIT):
        limits.take(1, 1)
    assert limits.quotas([(1, 1)], 1000) == {}
    limits.give_back(1, 1)
    assert limits.quotas([(1, 1)], 1000) == {1: 1}


def test_endpoints_that_stop_answering_all_at_once_leave_room_for_others() -> None:
    limits = ConcurrencyLimits()
    for endpoint in range(50):
        for _ in range(100):
            limits.adjust(endpoint, "")
    room = 1000
    for endpoint in range(50):
        for count in limits.quotas([(endpoint, endpoint)], room).values():
            room -= count
            for _ in range(count):
                limits.take(endpoint, endpoint)
    assert room >= 0
    assert limits.quotas([(1000, 1000)], max(room, 1)) != {}
