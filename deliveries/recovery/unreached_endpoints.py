"""Endpoints that want an event and have no delivery of it, and delivering it to them after all.

That is so for endpoints that were added, switched on or given the topic after the event.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from deliveries.models import Delivery, Event, Trigger
from deliveries.publishing import make_delivery
from deliveries.recovery.missed_events import refuse_unless_sendable
from deliveries.workers.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict
from subscriptions.models import Broadcaster, Endpoint, Subscription

_MAX_FOUND = 100


def find_unreached_endpoints(broadcaster: Broadcaster, event: Event) -> list[Endpoint]:
    """Endpoints that want the event's topic today and have no delivery of it, a hundred at most."""
    if event.test:
        return []
    subscribed = Subscription.objects.filter(topic__name=event.topic).values("endpoint_id")
    endpoints = broadcaster.endpoints.live()
    wanting = endpoints.filter(all_topics=True) | endpoints.filter(pk__in=subscribed)
    reached = Delivery.objects.filter(event=event).values("endpoint_id")
    return list(wanting.exclude(pk__in=reached).order_by("name")[:_MAX_FOUND])


@transaction.atomic
def deliver_to_unreached_endpoint(*, event: Event, endpoint: Endpoint, actor: Actor) -> Delivery:
    """Queue a stored event for an endpoint that never got it, with the platform's retries.

    Raises Conflict for an endpoint that is not active, and if there is a delivery by now.
    """
    refuse_unless_sendable(endpoint)
    if Delivery.objects.filter(event=event, endpoint=endpoint).exists():
        raise Conflict(
            f"There is a delivery of {event.event_id} to {endpoint.name}: resend that one.",
            code="delivery_exists",
        )
    broadcaster = event.broadcaster
    delivery = make_delivery(
        event=event, endpoint=endpoint, max_attempts=broadcaster.rules.max_requests
    )
    now = timezone.now()
    delivery.trigger = Trigger.REPLAY
    delivery.created_at = delivery.next_attempt_at = now
    delivery.save(force_insert=True)
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="event.deliver_missed",
        target=event.event_id,
        after={"endpoint": endpoint.public_id},
    )
    wake_on_commit()
    return delivery
