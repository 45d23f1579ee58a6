"""Events that a webhook wants and never got: since it was added, or switched on, afterwards."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from deliveries.models import Delivery, Event, Trigger
from deliveries.publishing.publisher import make_delivery
from deliveries.workers.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict
from subscriptions.models import Broadcaster, Endpoint, Subscription


def endpoints_missing(broadcaster: Broadcaster, event: Event) -> list[Endpoint]:
    """Endpoints whose topics match today and that have no delivery of it, at most a hundred."""
    if event.test:
        return []
    named = Subscription.objects.filter(topic__name=event.topic).values("endpoint_id")
    mine = broadcaster.endpoints.live()
    wanting = mine.filter(all_topics=True) | mine.filter(pk__in=named)
    got = Delivery.objects.filter(event=event).values("endpoint_id")
    return list(wanting.exclude(pk__in=got).order_by("name")[:100])


@transaction.atomic
def deliver_missed(*, event: Event, endpoint: Endpoint, actor: Actor) -> Delivery:
    """Deliver a stored event to an endpoint that never got it, with the platform's retries.

    Raises Conflict for an endpoint that is not active, and where there is a delivery by now.
    """
    if not endpoint.is_sendable:
        raise Conflict(
            f"The webhook {endpoint.name} is {endpoint.status.label.lower()}: switch it on first.",
            code="endpoint_not_active",
        )
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
