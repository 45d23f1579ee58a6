"""What a resend by hand leaves as it was, however the resend itself goes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from deliveries.leases import PumpLease
from deliveries.models import Delivery, Pump, Trigger
from deliveries.publish import publish
from deliveries.resend import cancel, resend
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints import delete_endpoint
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver() as started:
        yield started


@pytest.mark.parametrize("status_first", [200, 500])
def test_a_resend_that_was_cut_short_is_made_again_as_what_it_is(
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
def test_a_delivered_one_stays_delivered_when_its_resend_is_stopped(
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
