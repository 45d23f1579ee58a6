"""A wrong key ring: nothing is signed with garbage, nothing is lost, and everyone is told."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from deliveries.diagnosis.attempts import explain_attempt
from deliveries.dispatch.outcomes import MAX_OWN_FAULTS
from deliveries.models import Delivery, DeliveryStatus, EndpointHealth
from subscriptions.models import Endpoint
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at, publish_one
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(receiver: Receiver) -> Delivery:
    """Due, to an endpoint that Cryptlex's rules would suspend after fifty failures."""
    broadcaster = broadcaster_on("cryptlex").broadcaster
    endpoint_at(receiver.url("/hook"), broadcaster)
    return publish_one(broadcaster)


def attempt_now(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())
    dispatch()
    delivery.refresh_from_db()


def test_nothing_is_sent_and_the_attempt_says_why(
    delivery: Delivery, receiver: Receiver, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    right = settings.WEBHOOKS_SECRET_KEYS
    settings.WEBHOOKS_SECRET_KEYS = [Fernet.generate_key().decode()]

    dispatch()

    assert receiver.requests == []
    attempt = delivery.attempts.get()
    assert (attempt.outcome, attempt.failure) == ("failed", "internal")
    assert attempt.request_headers == []
    explanation = explain_attempt(attempt, delivery.endpoint, delivery.broadcaster.rules)
    assert explanation.title == "The request could not be signed"
    assert "secret key" in explanation.action
    assert "CRITICAL" in caplog.text and "WEBHOOKS_SECRET_KEYS" in caplog.text
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.next_attempt_at is not None and delivery.next_attempt_at > timezone.now()

    settings.WEBHOOKS_SECRET_KEYS = right
    attempt_now(delivery)
    assert delivery.status == DeliveryStatus.DELIVERED
    assert receiver.requests[0].header("webhook-signature")


@pytest.mark.parametrize("ring", [["no key"], []])
def test_a_ring_of_no_keys_stops_no_pump(
    ring: list[str], delivery: Delivery, receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOKS_SECRET_KEYS = ring
    dispatch()
    delivery.refresh_from_db()
    assert receiver.requests == [] and delivery.status == DeliveryStatus.PENDING


def test_a_long_outage_of_ours_uses_up_no_retries_and_suspends_nobody(
    delivery: Delivery, settings: Any
) -> None:
    settings.WEBHOOKS_SECRET_KEYS = [Fernet.generate_key().decode()]
    for _ in range(delivery.max_attempts + 3):
        attempt_now(delivery)
    assert (delivery.status, delivery.scheduled_count) == (DeliveryStatus.PENDING, 0)
    assert Endpoint.objects.get().suspended_at is None
    assert not EndpointHealth.objects.exists()

    Delivery.objects.filter(pk=delivery.pk).update(attempt_count=MAX_OWN_FAULTS)
    attempt_now(delivery)
    assert delivery.status == DeliveryStatus.FAILED
    assert "failed on our side" in delivery.status_reason
