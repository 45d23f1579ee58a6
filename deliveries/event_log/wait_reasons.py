"""Which limit keeps back a delivery that is due, in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from deliveries.dispatch.rate_limits import refill
from deliveries.models import Delivery, DeliveryStatus, EndpointRate
from subscriptions.models import Endpoint

# More than are ever in flight at once.
_MAX_OLDEST_DUE = 5_000


def explain_wait(delivery: Delivery, now: datetime) -> str:
    """The limit that keeps a due delivery back, as a sentence; "" if none does, or it is not due.

    The delivery comes with its endpoint and broadcaster.
    """
    due = delivery.next_attempt_at
    if delivery.status != DeliveryStatus.PENDING or delivery.is_in_flight or not due or due > now:
        return ""
    endpoint, broadcaster = delivery.endpoint, delivery.broadcaster
    if broadcaster.paused:
        return f"Sending for {broadcaster.name} is paused by the operator."
    if endpoint.rate_limit and _is_rate_used_up(endpoint, now):
        return f"The webhook's own limit of {endpoint.rate_limit} requests per second is used up."
    due_deliveries = Delivery.objects.filter(
        status=DeliveryStatus.PENDING, next_attempt_at__lte=now
    )
    in_flight = _count_in_flight(due_deliveries.filter(endpoint=endpoint))
    if in_flight:
        return (
            f"{in_flight} attempts to this webhook are in flight; the others wait until it has "
            "answered those."
        )
    in_flight = _count_in_flight(due_deliveries, broadcaster=broadcaster)
    if in_flight >= settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER:
        return f"{broadcaster.name} has as many attempts in flight as one broadcaster may have."
    return ""


def _count_in_flight(due_deliveries: QuerySet[Delivery], **conditions: Any) -> int:
    """Count those in flight that meet the conditions, among the oldest due ones.

    What is in flight is among those: a backlog of a million need not be read for it.
    """
    oldest = due_deliveries.order_by("next_attempt_at")[:_MAX_OLDEST_DUE]
    counted = Count("pk", filter=Q(lease_id__isnull=False, **conditions))
    count: int = oldest.aggregate(count=counted)["count"]
    return count


def _is_rate_used_up(endpoint: Endpoint, now: datetime) -> bool:
    rate: EndpointRate | None = getattr(endpoint, "rate", None)
    limit = endpoint.rate_limit or 0
    return rate is not None and refill(rate.tokens, now - rate.filled_at, limit) < 1
