"""Which lanes are found, however long the queue is, and what is claimed of them."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from deliveries.dispatch.lanes import LaneSearch, _next_scan
from deliveries.dispatch.store import current_store, postgresql
from deliveries.dispatch.store.statements import WINDOW
from deliveries.models import Delivery
from deliveries.publishing import NewEvent, publish, publish_batch
from subscriptions.models import Broadcaster, Endpoint
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db
URL = "https://example.com/hook"


@pytest.fixture
def only_one_full_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, only the first scan is full, and those that follow a `forget`."""
    monkeypatch.setattr("deliveries.dispatch.lanes._FULL_SCAN_EVERY_SECONDS", 60)
    monkeypatch.setattr("deliveries.dispatch.lanes._MAX_SECONDS_BETWEEN_SCANS", 60)


def queue(count: int, name: str = "Busy") -> Endpoint:
    broadcaster = broadcaster_on("cryptlex", name).broadcaster
    endpoint = endpoint_at(URL, broadcaster)
    for first in range(0, count, 1000):
        events = [
            NewEvent("license.created", {"n": n}) for n in range(first, min(first + 1000, count))
        ]
        publish_batch(broadcaster=broadcaster, events=events)
    return endpoint


def scan(search: LaneSearch) -> list[int]:
    return [lane.endpoint_id for lane in search.scan(timezone.now())]


def test_a_quiet_endpoint_is_found_behind_a_backlog_longer_than_the_window() -> None:
    busy = queue(WINDOW + 200)
    quiet = queue(1, "Quiet")
    assert scan(LaneSearch()) == [busy.pk, quiet.pk]
    search = LaneSearch(lanes_per_scan=1)
    assert [scan(search) for _ in range(3)] == [[busy.pk], [quiet.pk], [busy.pk]]
    assert scan(search) == [quiet.pk]
    search.repeat()
    assert scan(search) == [quiet.pk]


def test_a_paused_backlog_that_fills_the_window_hides_nobody() -> None:
    paused = queue(WINDOW + 200)
    Broadcaster.objects.filter(pk=paused.broadcaster_id).update(paused=True)
    quiet = queue(1, "Quiet")
    assert scan(LaneSearch()) == [quiet.pk]


def test_what_is_planned_for_later_makes_no_lane() -> None:
    endpoint = queue(3)
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=5))
    assert scan(LaneSearch()) == []
    assert current_store().claim(timezone.now(), lease_id=1, quotas={endpoint.pk: 10}) == []


def test_a_claim_takes_the_oldest_up_to_the_quota_and_no_row_twice() -> None:
    endpoint = queue(5)
    oldest = Delivery.objects.order_by("pk").first()
    assert oldest is not None
    Delivery.objects.filter(pk=oldest.pk).update(
        next_attempt_at=timezone.now() - timedelta(hours=1)
    )
    now = timezone.now()
    first = current_store().claim(now, lease_id=1, quotas={endpoint.pk: 2})
    second = current_store().claim(now, lease_id=2, quotas={endpoint.pk: 10})
    ids = [str(row[0]).replace("-", "") for row in (*first, *second)]
    assert (len(first), len(second), len(set(ids))) == (2, 3, 5)
    assert oldest.pk.hex in ids[:2]


def test_an_unsendable_endpoint_is_a_lane_that_says_so() -> None:
    endpoint = queue(1)
    Endpoint.objects.filter(pk=endpoint.pk).update(suspended_at=timezone.now())
    (lane,) = LaneSearch().scan(timezone.now())
    assert (lane.endpoint_id, lane.is_sendable) == (endpoint.pk, False)
    publish(
        broadcaster=Broadcaster.objects.get(pk=endpoint.broadcaster_id),
        topic="license.created",
        data={},
    )
    assert len(scan(LaneSearch())) == 1


def claim(search: LaneSearch, quotas: dict[Endpoint, int]) -> list[Endpoint]:
    """The endpoints of the claimed deliveries, sorted."""
    rows, _ = search.claim(
        timezone.now(), lease_id=1, quotas={endpoint.pk: n for endpoint, n in quotas.items()}
    )
    keys = [UUID(str(row[0])) for row in rows]
    owners = Delivery.objects.select_related("endpoint").in_bulk(keys)
    return sorted((owners[key].endpoint for key in keys), key=lambda endpoint: endpoint.pk)


@pytest.mark.usefixtures("only_one_full_scan")
def test_lanes_before_between_and_behind_long_ones_are_found() -> None:
    first, long = queue(1, "First"), queue(700)
    between, longer, last = queue(1, "Between"), queue(700), queue(1, "Last")
    search = LaneSearch()
    everyone = [endpoint.pk for endpoint in (first, long, between, longer, last)]
    assert scan(search) == everyone
    assert len(claim(search, {long: 50, longer: 50})) == 100
    assert scan(search) == everyone
    claim(search, {first: 1, between: 2})
    # Asked for two, it had one: nothing is left. The first gave all it was asked for, so that
    # only the next claim shows that it had no more.
    assert scan(search) == [first.pk, long.pk, longer.pk, last.pk]
    assert claim(search, {first: 1}) == []
    assert scan(search) == [long.pk, longer.pk, last.pk]


@pytest.mark.usefixtures("only_one_full_scan")
def test_a_lane_that_is_new_beside_a_long_queue_is_found() -> None:
    busy = queue(WINDOW + 200)
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    search = LaneSearch()
    assert scan(search) == [busy.pk]
    quiet = queue(1, "Quiet")
    assert scan(search) == [busy.pk, quiet.pk]
    assert claim(search, {busy: 3, quiet: 2}) == [busy, busy, busy, quiet]
    # As many new ones as the window holds.
    flooded = queue(WINDOW, "Flooded")
    assert scan(search) == [busy.pk, flooded.pk]
    assert claim(search, {busy: 2, flooded: 1}) == [busy, busy, flooded]
    assert scan(search) == [busy.pk, flooded.pk]


def test_a_long_lane_is_claimed_on_from_where_the_last_claim_ended() -> None:
    endpoint = queue(6)
    begin = timezone.now() - timedelta(minutes=1)
    keys = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    for place, key in enumerate(keys):
        Delivery.objects.filter(pk=key).update(next_attempt_at=begin + timedelta(seconds=place))
    search = LaneSearch()
    assert claim(search, {endpoint: 3}) == [endpoint] * 3
    # What is freed stands before that place: it is found when the place is forgotten.
    Delivery.objects.filter(pk=keys[0]).update(lease_id=None)
    assert claim(search, {endpoint: 3}) == [endpoint] * 3
    assert Delivery.objects.get(lease_id=None).pk == keys[0]
    search.forget()
    assert scan(search) == [endpoint.pk]
    assert claim(search, {endpoint: 3}) == [endpoint]


def test_a_lane_that_gave_less_than_asked_is_looked_through_from_its_beginning() -> None:
    endpoint = queue(3)
    search = LaneSearch()
    claim(search, {endpoint: 3})
    assert claim(search, {endpoint: 3}) == []
    Delivery.objects.update(lease_id=None, next_attempt_at=timezone.now() - timedelta(hours=1))
    assert claim(search, {endpoint: 3}) == [endpoint] * 3


@pytest.mark.usefixtures("only_one_full_scan")
def test_a_scan_begins_where_nothing_older_is_due_until_the_next_full_scan() -> None:
    endpoint = queue(3)
    begin = timezone.now()
    delivery = Delivery.objects.order_by("pk").last()
    assert delivery is not None
    search = LaneSearch()
    assert scan(search) == [endpoint.pk]
    assert len(claim(search, {endpoint: 5})) == 3
    assert scan(search) == []

    def free(seconds_ago: int) -> None:
        Delivery.objects.filter(pk=delivery.pk).update(
            lease_id=None, next_attempt_at=begin - timedelta(seconds=seconds_ago)
        )

    free(60)
    assert scan(search) == []
    # An insert that was committed late, or by a host whose clock is behind.
    free(3)
    assert scan(search) == [endpoint.pk]
    free(60)
    search.forget()
    assert scan(search) == [endpoint.pk]


@pytest.mark.usefixtures("only_one_full_scan")
def test_what_a_full_scan_found_stays_known_until_it_is_claimed() -> None:
    endpoint = queue(3)
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    search = LaneSearch()
    assert [scan(search) for _ in range(3)] == [[endpoint.pk]] * 3
    assert claim(search, {endpoint: 2}) == [endpoint] * 2
    assert scan(search) == [endpoint.pk]
    assert claim(search, {endpoint: 2}) == [endpoint]
    assert scan(search) == []


def test_a_scan_that_takes_long_is_repeated_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("deliveries.dispatch.lanes.time", SimpleNamespace(monotonic=lambda: now))
    assert _next_scan(now - 0.01, 1.0) == now + 1
    assert _next_scan(now - 0.25, 1.0) == now + 5
    assert _next_scan(now - 60, 1.0) == now + 10


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only on PostgreSQL")
def test_scans_do_not_slow_down_with_the_number_of_endpoints() -> None:
    """The plan looks a lane's owner up by its key, instead of walking through the endpoints."""
    queue(1)
    parameters: dict[str, Any] = {
        "now": timezone.now(),
        "since": "-infinity",
        "known": "{}",
        "after": 0,
        "limit": 5,
    }
    with current_store().planning_by_index(), connection.cursor() as cursor:
        for statement in (postgresql.OLDEST, postgresql.NEXT):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert re.search(r"subscriptions_endpoint_pkey .*\n +Index Cond: \(id = ", plan), plan


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only on PostgreSQL")
def test_a_claim_of_all_that_is_queued_moves_no_row_to_another_page() -> None:
    endpoint = queue(300)
    before = pages()
    assert len(current_store().claim(timezone.now(), lease_id=7, quotas={endpoint.pk: 300})) == 300
    assert pages() == before


def pages() -> dict[UUID, int]:
    """The pages of the queue table's rows. A row that stays on its page needs no new index entry."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, (ctid::text::point)[0]::int FROM deliveries_delivery")
        return dict(cursor.fetchall())
