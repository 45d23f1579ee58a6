"""Claiming: which lanes are found, however long the queue is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deliveries.claiming import WINDOW, LaneSearch, claim_rows
from deliveries.models import Delivery
from deliveries.publish import NewEvent, publish, publish_batch
from subscriptions.models import Broadcaster, Endpoint
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db
URL = "https://example.com/hook"


def queue(count: int, name: str = "Busy") -> Endpoint:
    broadcaster = broadcaster_on("cryptlex", name).broadcaster
    endpoint = endpoint_at(URL, broadcaster)
    for first in range(0, count, 1000):
        events = [
            NewEvent("license.created", {"n": n}) for n in range(first, min(first + 1000, count))
        ]
        publish_batch(broadcaster=broadcaster, events=events)
    return endpoint


def look(search: LaneSearch) -> list[int]:
    return [lane.endpoint_id for lane in search.look(timezone.now())]


def test_a_quiet_endpoint_is_found_behind_a_backlog_longer_than_the_window() -> None:
    busy = queue(WINDOW + 200)
    quiet = queue(1, "Quiet")
    assert look(LaneSearch()) == [busy.pk, quiet.pk]
    search = LaneSearch(a_look=1)
    assert [look(search) for _ in range(3)] == [[busy.pk], [quiet.pk], [busy.pk]]


def test_a_paused_backlog_that_fills_the_window_hides_nobody() -> None:
    paused = queue(WINDOW + 200)
    Broadcaster.objects.filter(pk=paused.broadcaster_id).update(paused=True)
    quiet = queue(1, "Quiet")
    assert look(LaneSearch()) == [quiet.pk]


def test_what_is_planned_for_later_makes_no_lane() -> None:
    endpoint = queue(3)
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=5))
    assert look(LaneSearch()) == []
    assert claim_rows(timezone.now(), lease_id=1, quotas={endpoint.pk: 10}) == []


def test_a_claim_takes_the_oldest_up_to_the_quota_and_no_row_twice() -> None:
    endpoint = queue(5)
    oldest = Delivery.objects.order_by("pk").first()
    assert oldest is not None
    Delivery.objects.filter(pk=oldest.pk).update(
        next_attempt_at=timezone.now() - timedelta(hours=1)
    )
    now = timezone.now()
    first = claim_rows(now, lease_id=1, quotas={endpoint.pk: 2})
    second = claim_rows(now, lease_id=2, quotas={endpoint.pk: 10})
    ids = [str(row[0]).replace("-", "") for row in (*first, *second)]
    assert (len(first), len(second), len(set(ids))) == (2, 3, 5)
    assert oldest.pk.hex in ids[:2]


def test_an_unsendable_endpoint_is_a_lane_that_says_so() -> None:
    endpoint = queue(1)
    Endpoint.objects.filter(pk=endpoint.pk).update(suspended_at=timezone.now())
    (lane,) = LaneSearch().look(timezone.now())
    assert (lane.endpoint_id, lane.is_sendable) == (endpoint.pk, False)
    publish(
        broadcaster=Broadcaster.objects.get(pk=endpoint.broadcaster_id),
        topic="license.created",
        data={},
    )
    assert len(look(LaneSearch())) == 1
