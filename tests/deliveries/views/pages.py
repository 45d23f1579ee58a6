"""What tests of the pages of deliveries share: URLs, and deliveries with attempts in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from deliveries.models import Attempt, Delivery, EndpointHour, Event
from deliveries.publishing import publish
from subscriptions.models import Broadcaster, Endpoint
from tests.portal_clients import Portal


def url(portal: Portal, view: str, *arguments: object, of: Broadcaster | None = None) -> str:
    return reverse(f"deliveries:{view}", args=[(of or portal.live).pk, *arguments])


def publish_event(broadcaster: Broadcaster, topic: str = "license.created", **data: Any) -> Event:
    return publish(broadcaster=broadcaster, topic=topic, data=data).event


def create_delivery(broadcaster: Broadcaster, **data: Any) -> Delivery:
    """The delivery of a new event to the broadcaster's only endpoint."""
    return Delivery.objects.get(event=publish_event(broadcaster, **data))


def add_attempt(delivery: Delivery, **fields: Any) -> Attempt:
    """An attempt in the log, as a pump writes it; the delivery itself is not changed."""
    values = {
        "number": delivery.attempts.count() + 1,
        "trigger": "publish",
        "outcome": "failed",
        "failure": "http_5xx",
        "status_code": 500,
        "sent_at": timezone.now(),
        "responded_at": timezone.now(),
        "duration_ms": 40.0,
        "request_url": delivery.endpoint.url,
        "request_headers": [["Content-Type", "application/json"]],
        "response_headers": [["Content-Type", "text/html"]],
        "response_body": b"<h1>broken</h1>",
    }
    return Attempt.objects.create(
        delivery=delivery,
        broadcaster=delivery.broadcaster,
        endpoint=delivery.endpoint,
        topic=delivery.topic,
        **(values | fields),
    )


def set_state(delivery: Delivery, **state: Any) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(**state)
    delivery.refresh_from_db()
    return delivery


def count_hour(endpoint: Endpoint, at: datetime, shard: int = 1, **counts: int) -> None:
    """Outcomes of the attempts of an hour, as a pump counts them in a shard of its own."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    EndpointHour.objects.create(
        endpoint=endpoint, broadcaster=endpoint.broadcaster, hour=hour, shard=shard, **counts
    )
