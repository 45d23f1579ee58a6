"""Slots in flight: shares, caps, and what timeouts and answers do to them."""

from __future__ import annotations

from typing import Any

import pytest

from deliveries.dispatch.concurrency import FIRST_SLOTS, Slots


@pytest.fixture(autouse=True)
def caps(settings: Any) -> None:
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT = 100
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER = 500


def test_a_new_endpoint_starts_with_a_handful() -> None:
    assert Slots().quotas([(1, 1)], 1000) == {1: FIRST_SLOTS}


def test_each_answer_adds_a_slot_up_to_the_cap() -> None:
    slots = Slots()
    for _ in range(200):
        slots.learn(1, "")
    assert slots.quotas([(1, 1)], 1000) == {1: 100}


def test_a_refusal_is_an_answer_too() -> None:
    slots = Slots()
    slots.learn(1, "http_5xx")
    assert slots.cap(1) == FIRST_SLOTS + 1


def test_timeouts_halve_the_share_down_to_one_and_answers_bring_it_back() -> None:
    slots = Slots()
    for _ in range(10):
        slots.learn(1, "timeout")
    assert slots.cap(1) == 1
    slots.learn(1, "")
    assert slots.cap(1) == 2


def test_many_lanes_share_the_room_equally() -> None:
    lanes = [(n, n) for n in range(100)]
    assert set(Slots().quotas(lanes, 200).values()) == {2}


def test_a_broadcasters_endpoints_together_stay_under_its_cap(settings: Any) -> None:
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER = 20
    lanes = [(n, 1) for n in range(10)] + [(99, 2)]
    quotas = Slots().quotas(lanes, 1000)
    assert sum(count for endpoint, count in quotas.items() if endpoint != 99) == 20
    assert quotas[99] == FIRST_SLOTS


def test_what_is_under_way_counts_until_it_is_given_back() -> None:
    slots = Slots()
    for _ in range(FIRST_SLOTS):
        slots.take(1, 1)
    assert slots.quotas([(1, 1)], 1000) == {}
    slots.give_back(1, 1)
    assert slots.quotas([(1, 1)], 1000) == {1: 1}


def test_endpoints_that_stop_answering_all_at_once_leave_room_for_others() -> None:
    slots = Slots()
    for endpoint in range(50):
        for _ in range(100):
            slots.learn(endpoint, "")
    room = 1000
    for endpoint in range(50):
        for count in slots.quotas([(endpoint, endpoint)], room).values():
            room -= count
            for _ in range(count):
                slots.take(endpoint, endpoint)
    assert room >= 0
    assert slots.quotas([(1000, 1000)], max(room, 1)) != {}
