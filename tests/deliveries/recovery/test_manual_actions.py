"""What a resend by hand leaves as it was, however the resend itself goes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from deliveries.dispatch.leases import PumpLease
from deliveries.models import Delivery, DeliveryStatus, Outcome, Pump, Trigger
from deliveries.publishing import publish
from deliveries.recovery import cancel, resend
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import delete_endpoint
from subscriptions.errors import Conflict
from subscriptions.models import Broadcaster
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at, publish_one
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broadcaster() -> Broadcaster:
    return broadcaster_on("cryptlex").broadcaster


def test_a_resend_leaves_the_planned_retry_planned(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    receiver.on("/hook", Reply(status=500))
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    dispatch()
    delivery.refresh_from_db()
    planned = delivery.next_attempt_at
    resend(delivery=delivery, actor=COMMAND_LINE)
    with pytest.raises(Conflict, match="in flight or queued"):
        resend(delivery=delivery, actor=COMMAND_LINE)
    dispatch()
    delivery.refresh_from_db()
    assert delivery.next_attempt_at == planned
    assert (delivery.attempt_count, delivery.scheduled_count) == (2, 1)
    assert delivery.attempts.get(number=2).retry_reason == "Resent by hand."


def test_a_failed_delivery_can_be_resent_and_then_is_delivered(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    receiver.on("/hook", Reply(status=410))
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    dispatch()
    receiver.on("/hook", Reply(status=200))
    delivery.refresh_from_db()
    resend(delivery=delivery, actor=COMMAND_LINE)
    dispatch()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.DELIVERED, 2)


def test_a_delivered_delivery_stays_delivered_when_its_resend_fails(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    dispatch()
    receiver.on("/hook", Reply(status=500))
    delivery.refresh_from_db()
    resend(delivery=delivery, actor=COMMAND_LINE)
    dispatch()
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED
    assert delivery.attempts.get(number=2).outcome == Outcome.FAILED


@pytest.mark.parametrize("status_first", [200, 500])
def test_a_resend_that_was_cut_short_is_made_again_as_a_resend(
    receiver: Receiver, status_first: int
) -> None:
    broadcaster = broadcaster_on("cryptlex").broadcaster
    receiver.on("/hook", Reply(status=status_first))
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish(broadcaster=broadcaster, topic="license.created", data={})
    dispatch()
    delivery = Delivery.objects.get()
    before = (delivery.status, delivery.next_attempt_at, delivery.scheduled_count)
    resend(delivery=delivery, actor=COMMAND_LINE)
    dead = PumpLease.take(1)
    assert dead is not None
    Delivery.objects.filter(pk=delivery.pk).update(lease_id=dead.id)
    Pump.objects.filter(pk=dead.id).update(lease_expires_at=timezone.now())
    receiver.on("/hook", Reply(status=500))

    dispatch()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_attempt_at, delivery.scheduled_count) == before
    attempts = delivery.attempts.order_by("number")
    assert [(x.trigger, x.outcome) for x in attempts[1:]] == [
        (Trigger.RESEND, "unknown"),
        (Trigger.RESEND, "failed"),
    ]


@pytest.mark.parametrize("stopped_by", ["a person", "the end of its endpoint"])
def test_a_delivered_delivery_stays_delivered_when_its_resend_is_stopped(
    receiver: Receiver, stopped_by: str
) -> None:
    broadcaster = broadcaster_on("cryptlex").broadcaster
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    publish(broadcaster=broadcaster, topic="license.created", data={})
    dispatch()
    delivery = resend(delivery=Delivery.objects.get(), actor=COMMAND_LINE)
    if stopped_by == "a person":
        cancel(delivery=delivery, actor=COMMAND_LINE)
    else:
        delete_endpoint(endpoint=endpoint, actor=COMMAND_LINE)
    dispatch()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_attempt_at) == ("delivered", None)
    assert len(receiver.requests) == 1
