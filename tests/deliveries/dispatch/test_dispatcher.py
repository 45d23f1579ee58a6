"""Sending: what leaves, when it is tried again, when it ends, and what the log says of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from deliveries.event_log.wait_reasons import explain_wait
from deliveries.models import (
    Delivery,
    DeliveryStatus,
    EndpointHealth,
    EndpointHour,
    Trigger,
)
from deliveries.publishing import publish
from deliveries.recovery import cancel, resend
from deliveries.test_console import send_test
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.status import resume_endpoint, set_endpoint_active
from subscriptions.errors import Conflict
from subscriptions.models import Broadcaster, Endpoint, Platform
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at, publish_one, pump
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broadcaster() -> Broadcaster:
    return broadcaster_on("cryptlex").broadcaster


def make_due(delivery: Delivery) -> None:
    """As an operator would: the column of the table alone."""
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())


def test_a_delivery_arrives_as_stored_and_is_logged(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster, headers=[("X-Api-Key", "s3cret")])
    delivery = publish_one(broadcaster)

    dispatch()

    (request,) = receiver.requests
    assert request.body.decode() == delivery.event.body
    assert request.header("content-type") == "application/json; charset=utf-8"
    assert request.header("content-length") == str(len(request.body))
    assert request.header("x-api-key") == "s3cret"
    delivery.refresh_from_db()
    attempt = delivery.attempts.get()
    assert delivery.status == DeliveryStatus.DELIVERED
    assert (delivery.attempt_count, delivery.lease_id, delivery.next_attempt_at) == (1, None, None)
    assert (attempt.number, attempt.outcome, attempt.status_code) == (1, "succeeded", 200)
    assert attempt.trigger == Trigger.PUBLISH and attempt.retry_reason == ""
    assert attempt.responded_at is not None and attempt.responded_at >= attempt.sent_at
    assert bytes(attempt.response_body) == b"ok"
    assert attempt.remote_address.startswith("127.0.0.1")
    logged = dict(attempt.request_headers)
    assert logged["X-Api-Key"] == "••••"
    assert logged["Webhook-Signature"] == request.header("webhook-signature")
    assert EndpointHour.objects.get(endpoint=endpoint).succeeded == 1
    assert EndpointHealth.objects.get(endpoint=endpoint).last_success_at is not None


@pytest.mark.parametrize("platform", ["cleeng", "cleverpush", "cryptlex", "clawget", "standard"])
def test_each_platforms_delays_are_kept_exactly_and_the_last_failure_says_why(
    receiver: Receiver, platform: str, settings: Any
) -> None:
    receiver.on("/hook", Reply(status=500, body=b"boom"))
    broadcaster = broadcaster_on(platform).broadcaster
    # Clawget takes https only; its schedule is what this is about.
    endpoint = endpoint_at("https://example.com/hook", broadcaster)
    Endpoint.objects.filter(pk=endpoint.pk).update(url=receiver.url("/hook"))
    topic = broadcaster.platform.topics.first()
    assert topic is not None
    publish(broadcaster=broadcaster, topic=topic.name, data=topic.sample_data)
    delivery = Delivery.objects.get()
    delays = Platform.objects.get(pk=platform).rules.retry_delays

    for number, delay in enumerate(delays, start=1):
        dispatch()
        delivery.refresh_from_db()
        attempt = delivery.attempts.get(number=number)
        assert delivery.status == DeliveryStatus.PENDING
        assert delivery.next_attempt_at == attempt.next_attempt_at
        assert delivery.next_attempt_at is not None and attempt.responded_at is not None
        assert delivery.next_attempt_at - attempt.responded_at == delay
        make_due(delivery)
    dispatch()

    delivery.refresh_from_db()
    requests = len(delays) + 1
    assert len(receiver.requests) == requests == delivery.attempt_count
    assert len({request.body for request in receiver.requests}) == 1
    assert delivery.status == DeliveryStatus.FAILED
    assert delivery.status_reason == (
        f"All {requests} attempts allowed were made; the last one answered HTTP 500."
    )
    last = delivery.attempts.get(number=requests)
    assert last.trigger == Trigger.RETRY
    assert last.retry_reason == f"Attempt {requests - 1} answered HTTP 500."


def test_what_is_sent_by_hand_goes_by_the_settings_of_the_moment(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint = endpoint_at(receiver.url("/old"), broadcaster)
    with pump() as dispatcher:
        delivery = publish_one(broadcaster)
        dispatcher.run_until_idle()
        Endpoint.objects.filter(pk=endpoint.pk).update(url=receiver.url("/new"))
        send_test(endpoint=endpoint, actor=COMMAND_LINE)
        dispatcher.run_until_idle()
        Endpoint.objects.filter(pk=endpoint.pk).update(url=receiver.url("/newest"))
        resend(delivery=delivery, actor=COMMAND_LINE)
        dispatcher.run_until_idle()

    assert [request.path for request in receiver.requests] == ["/old", "/new", "/newest"]


def test_a_retry_is_never_made_before_its_time(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    receiver.on("/hook", Reply(status=503))
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    dispatch()
    dispatch()
    assert len(receiver.requests) == 1


def test_retry_after_postpones_the_retry(receiver: Receiver, broadcaster: Broadcaster) -> None:
    receiver.on("/hook", Reply(status=429, headers=(("Retry-After", "1000"),)))
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    before = timezone.now()
    dispatch()
    delivery.refresh_from_db()
    assert delivery.failure == "rate_limited"
    assert delivery.next_attempt_at is not None
    assert (
        timedelta(0)
        <= delivery.next_attempt_at - before - timedelta(seconds=1000)
        < timedelta(seconds=5)
    )


def test_a_410_suspends_the_endpoint_and_is_not_retried(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    receiver.on("/hook", Reply(status=410))
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    dispatch()
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
    assert endpoint.status == "suspended"
    assert "410" in endpoint.status_reason


def test_cryptlex_suspends_after_fifty_failures_in_a_row_and_not_before(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    receiver.on("/hook", Reply(status=500))
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    for _ in range(49):
        publish_one(broadcaster)
    dispatch()
    endpoint.refresh_from_db()
    assert endpoint.status == "active"
    assert endpoint.health.consecutive_failures == 49
    publish_one(broadcaster)
    dispatch()
    endpoint.refresh_from_db()
    assert endpoint.status == "suspended"
    assert not Delivery.objects.filter(status=DeliveryStatus.PENDING).exists()

    resume_endpoint(endpoint=endpoint, actor=COMMAND_LINE)
    publish_one(broadcaster)
    dispatch()
    endpoint.refresh_from_db()
    assert endpoint.status == "active"


def test_a_success_starts_the_count_of_failures_anew(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    for status in (500, 500, 200, 500):
        receiver.on("/hook", Reply(status=status))
        publish_one(broadcaster)
        dispatch()
    assert EndpointHealth.objects.get(endpoint=endpoint).consecutive_failures == 1


def test_an_inactive_endpoint_gets_nothing_and_later_events_arrive_when_it_is_on_again(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    pending = publish_one(broadcaster)
    set_endpoint_active(endpoint=endpoint, active=False, actor=COMMAND_LINE)
    publish(broadcaster=broadcaster, topic="license.created", data={"key": "off"})
    dispatch()
    assert receiver.requests == []
    pending.refresh_from_db()
    assert pending.status == DeliveryStatus.CANCELLED
    assert pending.status_reason == "The webhook was switched off."

    set_endpoint_active(endpoint=endpoint, active=True, actor=COMMAND_LINE)
    publish_one(broadcaster)
    dispatch()
    assert [b'"D0"' in request.body for request in receiver.requests] == [True]


def test_a_paused_broadcaster_sends_nothing_until_it_goes_on(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    Broadcaster.objects.filter(pk=broadcaster.pk).update(paused=True)
    with pump() as dispatcher:
        dispatcher.run_until_idle(within_seconds=0.2)
    assert receiver.requests == []
    Broadcaster.objects.filter(pk=broadcaster.pk).update(paused=False)
    dispatch()
    assert len(receiver.requests) == 1


def test_a_cancelled_delivery_is_not_sent(receiver: Receiver, broadcaster: Broadcaster) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    cancel(delivery=delivery, actor=COMMAND_LINE)
    dispatch()
    assert receiver.requests == []
    with pytest.raises(Conflict, match="only a pending delivery"):
        cancel(delivery=delivery, actor=COMMAND_LINE)


def test_a_test_reaches_an_inactive_endpoint_once_and_counts_toward_nothing(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    receiver.on("/hook", Reply(status=500))
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    set_endpoint_active(endpoint=endpoint, active=False, actor=COMMAND_LINE)
    delivery = send_test(endpoint=endpoint, actor=COMMAND_LINE)
    dispatch()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.test, delivery.attempt_count) == ("failed", True, 1)
    assert len(receiver.requests) == 1
    assert not EndpointHour.objects.exists() and not EndpointHealth.objects.exists()


def test_a_busy_endpoint_does_not_stand_before_a_quiet_one(
    receiver: Receiver, broadcaster: Broadcaster, settings: Any
) -> None:
    settings.WEBHOOKS_MAX_IN_FLIGHT_PER_ENDPOINT = 5
    receiver.on("/slow", Reply(delay_seconds=1.0))
    endpoint_at(receiver.url("/slow"), broadcaster)
    for _ in range(50):
        publish_one(broadcaster)
    quiet = broadcaster_on("cryptlex", "Quiet").broadcaster
    endpoint_at(receiver.url("/quick"), quiet)
    publish(broadcaster=quiet, topic="license.created", data={})
    with pump() as dispatcher:
        dispatcher.run_until_idle(within_seconds=0.5)
        paths = [request.path for request in receiver.requests]
        assert paths.count("/quick") == 1
        assert paths.count("/slow") == 5
        waiting = Delivery.objects.filter(lease_id=None, status=DeliveryStatus.PENDING).first()
        assert waiting is not None
        assert explain_wait(waiting, timezone.now()).startswith("5 attempts to this webhook")


def test_a_rate_limit_is_kept_by_two_workers_together(
    receiver: Receiver, broadcaster: Broadcaster
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster, rate_limit=20)
    for _ in range(60):
        publish_one(broadcaster)
    begin = time.monotonic()

    def enough() -> bool:
        seconds = time.monotonic() - begin
        return seconds > 1.5 and (len(receiver.requests) >= 15 or seconds > 10)

    with pump(1) as first, pump(2) as second:
        while not enough():
            for dispatcher in (first, second):
                dispatcher.run(until=time.monotonic() + 0.02)
        waiting = Delivery.objects.filter(lease_id=None, status=DeliveryStatus.PENDING).first()
        assert waiting is not None
    at = sorted(request.received_at for request in receiver.requests)
    assert len(at) >= 15
    # The bucket's tenth of a second on top, and one for requests that were on their way.
    assert max(sum(1 for other in at if 0 <= other - one < 1) for one in at) <= 20 + 2 + 1


def test_a_paused_broadcasters_delivery_says_what_it_waits_for(broadcaster: Broadcaster) -> None:
    endpoint_at("https://example.com/", broadcaster)
    delivery = publish_one(broadcaster)
    assert explain_wait(delivery, timezone.now()) == ""
    delivery.broadcaster.paused = True
    assert "paused" in explain_wait(delivery, timezone.now())


def test_times_in_the_queue_are_read_as_utc(receiver: Receiver, broadcaster: Broadcaster) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    delivery = publish_one(broadcaster)
    Delivery.objects.filter(pk=delivery.pk).update(
        next_attempt_at=datetime.now(UTC) + timedelta(minutes=30)
    )
    dispatch()
    assert receiver.requests == []
