"""Whose turn it is where there is more to send than slots to send it in."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from deliveries.dispatch.lanes import LaneSearch
from deliveries.dispatch.settlement import settle
from deliveries.models import Delivery
from deliveries.publishing import NewEvent, publish, publish_batch
from subscriptions.models import Broadcaster
from tests.deliveries.sending import broadcaster_on, endpoint_at, pump
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def publish_to(broadcaster: Broadcaster) -> None:
    publish(broadcaster=broadcaster, topic="license.created", data={"key": "D0"})


def test_when_slots_are_few_each_endpoint_with_a_backlog_has_its_turn(
    receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOKS_MAX_IN_FLIGHT = 4
    tenants = [broadcaster_on("cryptlex", f"Tenant {number}").broadcaster for number in range(12)]
    for number, tenant in enumerate(tenants):
        receiver.on(f"/{number}", Reply(delay_seconds=0.05))
        endpoint_at(receiver.url(f"/{number}"), tenant)
        for _ in range(20):
            publish_to(tenant)
    with pump() as dispatcher:
        while len(receiver.requests) < 60:
            dispatcher._step(claiming=True)
    paths = Counter(request.path for request in receiver.requests)
    assert len(paths) == 12
    assert max(paths.values()) <= 2 * min(paths.values())


def test_under_a_broadcasters_cap_each_of_its_endpoints_has_its_turn(
    receiver: Receiver, settings: Any
) -> None:
    broadcaster = broadcaster_on("cryptlex").broadcaster
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER = 2
    for number in range(6):
        receiver.on(f"/{number}", Reply(delay_seconds=0.05))
        endpoint_at(receiver.url(f"/{number}"), broadcaster)
    for _ in range(20):
        publish_to(broadcaster)
    with pump() as dispatcher:
        while len(receiver.requests) < 30:
            dispatcher._step(claiming=True)
    paths = Counter(request.path for request in receiver.requests)
    assert len(paths) == 6
    assert max(paths.values()) <= 2 * min(paths.values())


def test_between_two_long_steps_those_without_a_backlog_are_let_in(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, quiet = (broadcaster_on("cryptlex", name).broadcaster for name in ("Busy", "Quiet"))
    receiver.on("/busy", Reply(delay_seconds=0.05))
    endpoint_at(receiver.url("/busy"), busy)
    endpoint_at(receiver.url("/quiet"), quiet)
    for _ in range(60):
        publish_to(busy)
    started_before_settling = []

    def settle_and_note(*args: Any, **named: Any) -> int:
        claimed = Delivery.objects.filter(broadcaster=quiet, lease_id__isnull=False)
        started_before_settling.append(claimed.exists() and not dispatcher._transport._queue)
        return settle(*args, **named)

    monkeypatch.setattr("deliveries.dispatch.dispatcher.settle", settle_and_note)
    with pump() as dispatcher:
        dispatcher._step(claiming=True)
        assert dispatcher._in_flight and not started_before_settling
        publish_to(quiet)
        dispatcher._next_scan_at = math.inf  # no claim is due of itself
        while not started_before_settling:
            dispatcher._step(claiming=True)
    assert started_before_settling[0]


def test_lanes_seen_in_two_parts_have_both_kinds_of_turns(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks go from part to part, and turns from those without a backlog to all: not in step."""
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT = 4
    # Even a short queue is scanned in parts.
    monkeypatch.setattr("deliveries.dispatch.lanes.WINDOW", 1)
    busy, *others = (broadcaster_on("cryptlex", name).broadcaster for name in ("Busy", "A", "B"))
    for number, other in enumerate(others):  # a part each: one endpoint of Busy, one of the other
        endpoint_at(receiver.url(f"/busy/{number}"), busy)
        endpoint_at(receiver.url(f"/other/{number}"), other)
    backlog = [NewEvent("license.created", {"n": n}) for n in range(200)]
    publish_batch(broadcaster=busy, events=backlog)
    with pump() as dispatcher:
        dispatcher._lanes = LaneSearch(lanes_per_scan=2)
        for _ in range(40):
            for other in others:
                publish_to(other)
            dispatcher._step(claiming=True)
    paths = Counter(request.path for request in receiver.requests)
    assert paths["/busy/0"] <= 2 * paths["/busy/1"]
    assert paths["/busy/1"] <= 2 * paths["/busy/0"]


def test_a_scan_between_two_long_steps_takes_nobodys_turn(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deliveries.dispatch.lanes.WINDOW", 1)
    monkeypatch.setattr("deliveries.dispatch.dispatcher.SCAN_BETWEEN_STEPS_SECONDS", 0.0)
    busy, quiet = (broadcaster_on("cryptlex", name).broadcaster for name in ("Busy", "Quiet"))
    endpoints = [endpoint_at(receiver.url("/busy"), busy), endpoint_at(receiver.url("/q"), quiet)]
    publish_batch(
        broadcaster=busy, events=[NewEvent("license.created", {"n": n}) for n in range(60)]
    )
    with pump() as dispatcher:
        dispatcher._lanes = LaneSearch(lanes_per_scan=1)
        dispatcher._step(claiming=True)
        publish_to(quiet)
        last = dispatcher._lanes._last_endpoint
        assert last in (0, endpoints[0].pk)
        dispatcher._claim_from_uncongested()
        assert dispatcher._lanes._last_endpoint == last


def test_a_neighbour_whose_rate_is_used_up_costs_the_backlog_no_turn(receiver: Receiver) -> None:
    busy, limited = (broadcaster_on("cryptlex", name).broadcaster for name in ("Busy", "Limited"))
    endpoint_at(receiver.url("/busy"), busy)
    neighbour = endpoint_at(receiver.url("/limited"), limited)
    neighbour.rate_limit = 1
    neighbour.save(update_fields=["rate_limit"])
    publish_batch(
        broadcaster=busy, events=[NewEvent("license.created", {"n": n}) for n in range(60)]
    )
    with pump() as dispatcher:
        dispatcher._claim_if_due()
        for _ in range(3):
            publish_to(limited)
        for _ in range(3):
            dispatcher._take_results(1.0)
            before = {*dispatcher._in_flight}
            dispatcher._claim_if_due()
            claimed = Delivery.objects.filter(pk__in=dispatcher._in_flight.keys() - before)
            assert claimed.exists()
        assert claimed.filter(broadcaster=busy).exists()
