"""Leases: a slot has one run, and what a dead or late run was sending is another's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliveries import tasks
from deliveries.dispatch.leases import LEASE, LeaseLost, PumpLease, recover
from deliveries.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Pump,
)
from subscriptions.models import Broadcaster
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at, publish_one, pump
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broadcaster() -> Broadcaster:
    return broadcaster_on("cryptlex").broadcaster


def test_what_a_dead_run_was_sending_is_logged_as_unknown_and_sent_again(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    dead = PumpLease.take(1)
    assert dead is not None
    Delivery.objects.filter(pk=delivery.pk).update(lease_id=dead.id)
    assert recover(timezone.now()) == 0, "its lease still runs"
    Pump.objects.filter(pk=dead.id).update(lease_expires_at=timezone.now())

    dispatch()

    delivery.refresh_from_db()
    first, second = delivery.attempts.order_by("number")
    assert (first.outcome, first.failure, first.number) == ("unknown", "interrupted", 1)
    assert (second.outcome, second.number) == ("succeeded", 2)
    assert second.retry_reason == "Attempt 1 was cut short: its outcome is unknown."
    assert delivery.status == DeliveryStatus.DELIVERED


def test_what_carries_the_lease_of_an_unknown_run_is_found_within_the_hour(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    orphan = publish_one(broadcaster)
    live = PumpLease.take(2)
    assert live is not None
    other = broadcaster_on("cryptlex", name="Other").broadcaster
    endpoint_at(receiver.url("/other"), other)
    held = publish_one(other)
    Delivery.objects.filter(pk=orphan.pk).update(lease_id=live.id + 1000)
    Delivery.objects.filter(pk=held.pk).update(lease_id=live.id)
    dispatch()
    assert not Attempt.objects.exists()

    tasks.find_orphans()
    dispatch()

    outcomes = [attempt.outcome for attempt in orphan.attempts.order_by("number")]
    assert outcomes == ["unknown", "succeeded"]
    assert not held.attempts.exists()
    tasks.find_orphans()
    dispatch()
    assert [run.pk for run in Pump.objects.all()] == [live.id]


def test_a_run_in_doubt_keeps_its_row_even_where_recovery_has_deleted_it() -> None:
    lease = PumpLease.take(1)
    assert lease is not None
    lease.free_unsent(sent=[])
    Pump.objects.all().delete()
    lease.end()
    kept = Pump.objects.get()
    assert (kept.pk, kept.slot) == (lease.id, None)
    assert kept.lease_expires_at > timezone.now()


def test_a_run_that_lost_its_lease_writes_nothing_more(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    with pump() as slow:
        slow._claim_if_due()
        Pump.objects.update(lease_expires_at=timezone.now())
        assert recover(timezone.now()) == 1
        while not slow._outcomes:
            slow._next_scan_at = slow._next_recovery_at = float("inf")
            slow._settle_at = float("inf")
            for result in slow._transport.poll(0.1):
                outgoing = slow._land(result.key)
                from deliveries.dispatch.outcomes import decide

                slow._add_outcome(decide(outgoing.claim, result, headers=()))
        slow._settle()
        slow._lease._renew_at = 0.0
        with pytest.raises(LeaseLost):
            slow._lease.renew_if_due(0)
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["unknown"]
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.PENDING


def test_a_slot_has_one_run_at_a_time() -> None:
    first = PumpLease.take(1)
    assert first is not None
    assert PumpLease.take(1) is None
    first.give_up_slot()
    second = PumpLease.take(1)
    assert second is not None and second.id > first.id
    assert timedelta(0) < LEASE < timedelta(seconds=30)


def test_the_end_of_a_run_does_not_look_through_the_queue(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    with pump() as dispatcher:
        dispatcher.run_until_idle()
        with CaptureQueriesContext(connection) as queries:
            dispatcher._lease.end()
    assert queries.captured_queries
    assert not [query for query in queries if Delivery._meta.db_table in query["sql"]]
    assert not Pump.objects.exists()
