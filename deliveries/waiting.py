"""Why a delivery that is due has not been sent yet: in words, for its page."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from deliveries.models import Delivery, DeliveryStatus, EndpointRate
from deliveries.rate_limits import filled


def waiting_reason(delivery: Delivery, now: datetime) -> str:
    """The limit that a due delivery waits for; "" where it waits for none, or is not due.

    The delivery comes with its endpoint and broadcaster.
    """
    due = delivery.next_attempt_at
    if delivery.status != DeliveryStatus.PENDING or delivery.is_under_way or not due or due > now:
        return ""
    endpoint, broadcaster = delivery.endpoint, delivery.broadcaster
    if broadcaster.paused:
        return f"Sending for {broadcaster.name} is paused by the operator."
    if endpoint.rate_limit and _is_spent(endpoint.pk, endpoint.rate_limit, now):
        return f"The webhook's own limit of {endpoint.rate_limit} requests per second is used up."
    under_way = Delivery.objects.filter(status=DeliveryStatus.PENDING, lease_id__isnull=False)
    of_endpoint = under_way.filter(endpoint=endpoint).count()
    if of_endpoint:
        return (
            f"{of_endpoint} requests to this webhook are under way; the others wait until it has "
            "answered those."
        )
    if under_way.filter(broadcaster=broadcaster).count() >= (
        settings.WEBHOOKS_MAX_IN_FLIGHT_PER_BROADCASTER
    ):
        return f"{broadcaster.name} has as many requests under way as one broadcaster may have."
    return ""


def _is_spent(endpoint_id: int, limit: int, now: datetime) -> bool:
    rate = EndpointRate.objects.filter(pk=endpoint_id).first()
    return rate is not None and filled(rate.tokens, now - rate.filled_at, limit) < 1
