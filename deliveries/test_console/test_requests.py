"""Test webhooks: one signed request with a sample, never retried, counted nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from deliveries.models import Delivery, Variant, VariantKind
from deliveries.payload.canonical_json import JSONError
from deliveries.payload.envelope import PayloadError
from deliveries.publishing import NewEvent, make_delivery, make_event
from deliveries.workers.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.catalogue import find_topic
from subscriptions.errors import Conflict, Refused
from subscriptions.identifiers import new_public_id
from subscriptions.models import Endpoint, Topic


def default_topic(endpoint: Endpoint) -> Topic:
    """The endpoint's first topic, or the platform's if it wants all. Raises Refused if it has none."""
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
    delivery = make_test(endpoint=endpoint, topic=topic, data=data)
    with transaction.atomic():
        store_tests([delivery], actor=actor)
    return delivery


def rehearse_token(*, endpoint: Endpoint, actor: Actor) -> Delivery:
    """Queue one test request that is signed with the new token alone, while two tokens live.

    Raises Conflict if only one token is good, and what send_test raises.
    """
    if not endpoint.has_previous_token(timezone.now()):
        raise Conflict(
            f"{endpoint.name} has one token only: an ordinary test is signed with it.",
            code="no_previous_token",
        )
    delivery = make_test(endpoint=endpoint)
    with transaction.atomic():
        store_tests([delivery], actor=actor, variant=VariantKind.NEW_TOKEN)
        Variant.objects.create(
            delivery=delivery, kind=VariantKind.NEW_TOKEN, run=new_public_id("run")
        )
    return delivery


def make_test(
    *,
    endpoint: Endpoint,
    topic: str | None = None,
    data: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> Delivery:
    """A test delivery with its event, neither of them stored. Raises what send_test does."""
    if endpoint.deleted_at is not None:
        raise Conflict(f"The webhook {endpoint.name} was deleted.", code="endpoint_deleted")
    broadcaster = endpoint.broadcaster
    chosen = find_topic(broadcaster.platform, topic) if topic else default_topic(endpoint)
    new = NewEvent(
        chosen.name, chosen.sample_data if data is None else data, occurred_at=occurred_at
    )
    try:
        event = make_event(broadcaster=broadcaster, new=new, now=timezone.now())
    except (JSONError, PayloadError) as error:
        raise Refused(error.detail, code=error.code, pointer=f"/data{error.pointer}") from error
    event.test = True
    delivery = make_delivery(event=event, endpoint=endpoint, max_attempts=1)
    delivery.status, delivery.status_reason, delivery.completed_at = "pending", "", None
    delivery.next_attempt_at = event.created_at
    return delivery


def store_tests(deliveries: Sequence[Delivery], *, actor: Actor, variant: str = "") -> None:
    """Store tests of one endpoint, with one entry in the audit log; they are sent after the commit."""
    first = deliveries[0]
    for delivery in deliveries:
        delivery.event.save(force_insert=True)
        delivery.save(force_insert=True)
    record(
        broadcaster=first.endpoint.broadcaster,
        actor=actor,
        action="endpoint.test",
        target=first.endpoint.public_id,
        after={"topic": first.topic} | ({"variant": variant} if variant else {}),
    )
    wake_on_commit()
