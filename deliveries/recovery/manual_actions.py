"""What a person can do with one delivery: send it again, retry it now, or stop it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from deliveries.dispatch.leases import in_flight
from deliveries.models import Delivery, DeliveryStatus, Trigger
from deliveries.models.delivery import STOPPED
from deliveries.workers.wake import wake_on_commit
from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict


@transaction.atomic
def resend(*, delivery: Delivery, actor: Actor) -> Delivery:
    """Make one attempt now. A planned retry stays planned; an end already reached stays one.

    Works for an inactive or suspended endpoint. Raises Conflict while an attempt is in flight, and
    for a deleted endpoint.
    """
    if delivery.endpoint.deleted_at is not None:
        raise Conflict(
            f"The webhook {delivery.endpoint.name} was deleted: there is nowhere to send this.",
            code="endpoint_deleted",
        )
    now = timezone.now()
    pending = When(status=DeliveryStatus.PENDING, then=F("next_attempt_at"))
    changed = (
        Delivery.objects.filter(pk=delivery.pk)
        .exclude(in_flight())
        .exclude(status=DeliveryStatus.PENDING, trigger=Trigger.RESEND)
        .update(
            # The planned retry waits here until the resend has ended.
            planned_at=Case(pending, default=None),
            status_before=Case(
                When(status=DeliveryStatus.PENDING, then=Value("")), default=F("status")
            ),
            status=DeliveryStatus.PENDING,
            status_reason="",
            trigger=Trigger.RESEND,
            next_attempt_at=now,
            completed_at=None,
            lease_id=None,
        )
    )
    if not changed:
        raise Conflict(
            f"An attempt of {delivery.public_id} is in flight or queued: wait for its outcome.",
            code="attempt_under_way",
        )
    wake_on_commit()
    return _record_and_reload(delivery, actor, "delivery.resend")


@transaction.atomic
def retry_now(*, delivery: Delivery, actor: Actor) -> Delivery:
    """Make the planned retry now instead. Raises Conflict if none is planned."""
    now = timezone.now()
    if not Delivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, lease_id=None, next_attempt_at__gt=now
    ).update(next_attempt_at=now):
        raise Conflict(f"No retry of {delivery.public_id} is planned.", code="no_retry_planned")
    wake_on_commit()
    return _record_and_reload(delivery, actor, "delivery.retry_now")


@transaction.atomic
def cancel(*, delivery: Delivery, actor: Actor) -> Delivery:
    """Plan no more attempts. One in flight goes on; if it is accepted, the delivery is delivered.

    Raises Conflict for a delivery that has come to an end.
    """
    if not Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.PENDING).update(
        status=STOPPED,
        status_reason=f"Stopped by {actor.label}"[:300],
        next_attempt_at=None,
        planned_at=None,
        completed_at=timezone.now(),
    ):
        delivery.refresh_from_db()
        raise Conflict(
            f"{delivery.public_id} is {delivery.status}: only a pending delivery can be stopped.",
            code="not_pending",
        )
    return _record_and_reload(delivery, actor, "delivery.cancel")


def _record_and_reload(delivery: Delivery, actor: Actor, action: str) -> Delivery:
    """Enter the action in the audit log; returns the delivery as it is now."""
    record(
        broadcaster=delivery.broadcaster,
        actor=actor,
        action=action,
        target=delivery.public_id,
    )
    delivery.refresh_from_db()
    return delivery
