"""Whether an endpoint is sent to: switched on or off by its user, suspended and resumed."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.endpoints.signals import endpoint_resumed, endpoint_stopped
from subscriptions.errors import Conflict
from subscriptions.models import Endpoint


@transaction.atomic
def set_endpoint_active(*, endpoint: Endpoint, active: bool, actor: Actor) -> bool:
    """Switch it on or off; False if it was so already.

    Off: pending deliveries are cancelled. On: later events are sent, those published in between
    are not, and a suspension is lifted.
    """
    now = timezone.now()
    changed = Endpoint.objects.filter(pk=endpoint.pk, active=not active, deleted_at=None).update(
        active=active,
        suspended_at=None,
        status_reason="" if active else f"Switched off by {actor.label}"[:200],
        status_changed_at=now,
        status_changed_by=actor.user,
        updated_at=now,
    )
    endpoint.refresh_from_db()
    if not changed:
        return False
    if active:
        endpoint_resumed.send(Endpoint, endpoint=endpoint)
    else:
        endpoint_stopped.send(Endpoint, endpoint=endpoint, reason="The webhook was switched off.")
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.activate" if active else "endpoint.deactivate",
        target=endpoint.public_id,
    )
    return True


@transaction.atomic
def suspend_endpoint(*, endpoint: Endpoint, reason: str, actor: Actor) -> bool:
    """Stop sending to it until someone resumes it; False if it was stopped already."""
    now = timezone.now()
    changed = Endpoint.objects.filter(
        pk=endpoint.pk, active=True, suspended_at=None, deleted_at=None
    ).update(
        suspended_at=now,
        status_reason=reason[:200],
        status_changed_at=now,
        status_changed_by=actor.user,
        updated_at=now,
    )
    endpoint.refresh_from_db()
    if not changed:
        return False
    endpoint_stopped.send(
        Endpoint, endpoint=endpoint, reason=f"The webhook was suspended: {reason}"
    )
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.suspend",
        target=endpoint.public_id,
        after={"reason": reason},
    )
    return True


@transaction.atomic
def resume_endpoint(*, endpoint: Endpoint, actor: Actor) -> None:
    """Lift a suspension. Raises Conflict if there is none."""
    now = timezone.now()
    if not Endpoint.objects.filter(
        pk=endpoint.pk, suspended_at__isnull=False, deleted_at=None
    ).update(
        suspended_at=None,
        status_reason="",
        status_changed_at=now,
        status_changed_by=actor.user,
        updated_at=now,
    ):
        raise Conflict(
            f"{endpoint.name} is not suspended: there is nothing to resume.", code="not_suspended"
        )
    endpoint.refresh_from_db()
    endpoint_resumed.send(Endpoint, endpoint=endpoint)
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.resume",
        target=endpoint.public_id,
    )
