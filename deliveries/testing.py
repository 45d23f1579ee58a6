"""Test webhooks: one signed request with a sample, never retried, counted nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from deliveries.canonical_json import JSONError
from deliveries.models import Delivery
from deliveries.payload import PayloadError
from deliveries.publish import NewEvent, make_delivery, make_event
from deliveries.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.catalogue import find_topic
from subscriptions.errors import Conflict, Refused
from subscriptions.models import Endpoint, Topic


def default_topic(endpoint: Endpoint) -> Topic:
    """The endpoint's first topic, or the platform's where it wants all. Raises Refused."""
    topics = endpoint.broadcaster.platform.topics if endpoint.all_topics else endpoint.topics
    topic = topics.order_by("position", "name").first()
    if topic is None:
        raise Refused(
            f"{endpoint.name} has no topics: choose one for the test.",
            code="required",
            pointer="/topic",
        )
    return topic


def send_test(
    *,
    endpoint: Endpoint,
    actor: Actor,
    topic: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Delivery:
    """Queue one test request; works for an inactive or suspended endpoint too.

    Default topic is the endpoint's first, default data the topic's sample. Raises Refused for a
    topic or data that cannot be sent, Conflict for a deleted endpoint.
    """
    if endpoint.deleted_at is not None:
        raise Conflict(f"The webhook {endpoint.name} was deleted.", code="endpoint_deleted")
    broadcaster = endpoint.broadcaster
    chosen = find_topic(broadcaster.platform, topic) if topic else default_topic(endpoint)
    new = NewEvent(chosen.name, chosen.sample_data if data is None else data)
    try:
        event = make_event(broadcaster=broadcaster, new=new, now=timezone.now())
    except (JSONError, PayloadError) as error:
        raise Refused(error.detail, code=error.code, pointer=f"/data{error.pointer}") from error
    event.test = True
    delivery = make_delivery(event=event, endpoint=endpoint, max_attempts=1)
    delivery.status, delivery.status_reason, delivery.completed_at = "pending", "", None
    delivery.next_attempt_at = event.created_at
    with transaction.atomic():
        event.save(force_insert=True)
        delivery.save(force_insert=True)
        record(
            broadcaster=broadcaster,
            actor=actor,
            action="endpoint.test",
            target=endpoint.public_id,
            after={"topic": chosen.name},
        )
        wake_on_commit()
    return delivery
