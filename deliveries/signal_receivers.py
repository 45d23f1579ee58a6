"""What deliveries do when something happens to an endpoint."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from deliveries.models import Delivery, DeliveryStatus, EndpointHealth, Trigger
from deliveries.models.delivery import STOPPED
from subscriptions.endpoints.signals import endpoint_resumed, endpoint_stopped
from subscriptions.models import Endpoint


@receiver(endpoint_stopped, dispatch_uid="cancel-pending")
def cancel_pending(*, endpoint: Endpoint, reason: str, **_: Any) -> None:
    """Nothing more is sent by itself; what a person asked for by hand still is."""
    by_hand = (Trigger.TEST, Trigger.RESEND) if endpoint.deleted_at is None else ()
    Delivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.PENDING).exclude(
        trigger__in=by_hand
    ).update(
        status=STOPPED,
        status_reason=reason[:300],
        next_attempt_at=None,
        planned_at=None,
        completed_at=timezone.now(),
    )


@receiver(endpoint_resumed, dispatch_uid="forget-failures")
def forget_failures(*, endpoint: Endpoint, **_: Any) -> None:
    """A resumed endpoint starts with a clean count, or its next failure would suspend it again."""
    EndpointHealth.objects.filter(endpoint=endpoint).update(consecutive_failures=0)
