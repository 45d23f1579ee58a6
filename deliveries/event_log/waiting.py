"""Why a delivery that is due has not been sent yet: in words, for its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from deliveries.dispatch.rate_limits import refill
from deliveries.models import Delivery, DeliveryStatus, EndpointRate
from subscriptions.models import Endpoint

# More than are ever under way at once.
_LOOKED_AT = 5_000


def waiting_reason(delivery: Delivery, now: datetime) -> str:
    """The limit that a due delivery waits for; "" where it waits for none, or is not due.

    The delivery comes with its endpoint and broadcaster.
    """
    due = delivery.next_attempt_at
    if delivery.status != DeliveryStatus.PENDING or delivery.is_in_flight or not due or due > now:
        return ""
    endpoint, broadcaster = delivery.endpoint, delivery.broadcaster
    if broadcaster.paused:
        return f"Sending for {broadcaster.name} is paused by the operator."
    if endpoint.rate_limit and _is_spent(endpoint, now):
        return f"The webhook's own limit of {endpoint.rate_limit} requests per second is used up."
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now)
    of_endpoint = _count_in_flight(waiting.filter(endpoint=endpoint))
    if of_endpoint:
        return (
            f"{of_endpoint} requests to this webhook are under way; the others wait until it has "
            "answered those."
        )
    if _count_in_flight(waiting, broadcaster=broadcaster) >= (
        settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER
    ):
        return f"{broadcaster.name} has as many requests under way as one broadcaster may have."
    return ""


def _count_in_flight(waiting: QuerySet[Delivery], **of: Any) -> int:
    """How many are being sent of those that have been due longest: what is under way is there,
    and a backlog of a million is not read for it."""
    oldest = waiting.order_by("next_attempt_at")[:_LOOKED_AT]
    sent = Count("pk", filter=Q(lease_id__isnull=False, **of))
    counted: int = oldest.aggregate(sent=sent)["sent"]
    return counted


def _is_spent(endpoint: Endpoint, now: datetime) -> bool:
    rate: EndpointRate | None = getattr(endpoint, "rate", None)
    limit = endpoint.rate_limit or 0
    return rate is not None and refill(rate.tokens, now - rate.filled_at, limit) < 1
