"""Settling: the outcomes of a batch of attempts, written in one transaction.

Delivery states go first and carry the fence: an outcome counts only if the delivery still carries
the lease of the run that sent it. What recovery has given to another run is not written.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DataError, transaction
from django.utils import timezone

from deliveries.diagnosis import Failure
from deliveries.dispatch.health import count_attempts, update_health
from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.records import Claim, Settled
from deliveries.models import Delivery
from deliveries.models.delivery import STOPPED

logger = logging.getLogger(__name__)


def settle(outcomes: Sequence[Settled], *, lease_id: int, shard: int) -> int:
    """Write attempts, delivery states, hourly counters and health; suspend endpoints if it is time.

    Returns how many outcomes counted. After an exception none is written, and the same call may
    be made again. An outcome that the database cannot hold is written alone and without what the
    receiver sent, so that it does not take the others of its batch with it.
    """
    if not outcomes:
        return 0
    try:
        return _settle_together(outcomes, lease_id, shard)
    except DataError:
        if len(outcomes) > 1:
            return sum(settle([one], lease_id=lease_id, shard=shard) for one in outcomes)
        logger.exception("the outcome of delivery %s does not fit", outcomes[0].claim.delivery_id)
        return _settle_together([_without_response(outcomes[0])], lease_id, shard)


def _without_response(settled: Settled) -> Settled:
    attempt = settled.attempt._replace(
        failure=settled.attempt.failure and Failure.INTERNAL.value,
        remote_address="",
        request_headers=(),
        response_headers=(),
        response_body=b"",
        evidence={"reason": "unrecordable"},
    )
    return settled._replace(attempt=attempt)


def _settle_together(outcomes: Sequence[Settled], lease_id: int, shard: int) -> int:
    now: datetime = timezone.now()
    store = current_store()
    # Sorted by id, so that two pumps that settle at the same time lock rows in the same order.
    ordered = sorted(outcomes, key=lambda settled: settled.claim.delivery_id.int)
    with transaction.atomic():
        ours = store.update_deliveries(ordered, lease_id=lease_id, now=now)
        kept = outcomes
        if len(ours) < len(outcomes):
            found = set(ours)
            kept = [settled for settled in outcomes if settled.claim.delivery_id in found]
        store.insert_attempts(kept)
        counted = [settled for settled in kept if not settled.claim.test]
        count_attempts(counted, shard=shard)
        update_health(counted)
    return len(kept)


def cancel_stopped(claims: Sequence[Claim], *, lease_id: int) -> None:
    """Cancel claimed deliveries whose endpoint may not be sent to any more."""
    Delivery.objects.filter(pk__in=[c.delivery_id for c in claims], lease_id=lease_id).update(
        status=STOPPED,
        status_reason="The webhook was not active when its time came.",
        next_attempt_at=None,
        planned_at=None,
        lease_id=None,
        completed_at=timezone.now(),
    )
