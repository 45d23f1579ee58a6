"""Settling a batch with an outcome in it that the database cannot hold."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from deliveries.leases import PumpLease
from deliveries.models import Attempt, Delivery, DeliveryStatus
from deliveries.outcomes import Claim, not_sent
from deliveries.publish import publish
from deliveries.settle import settle
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_outcome_that_does_not_fit_is_logged_bare_and_holds_nobody_up() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only on PostgreSQL: SQLite takes any length")
    broadcaster = broadcaster_on("cryptlex").broadcaster
    endpoint_at("https://example.com/", broadcaster)
    for _ in range(3):
        publish(broadcaster=broadcaster, topic="license.created", data={})
    lease = PumpLease.take(1)
    assert lease is not None
    Delivery.objects.update(lease_id=lease.id)
    now = timezone.now()
    outcomes = [
        not_sent(Claim.of(delivery), now, reason="x")
        for delivery in Delivery.objects.select_related("endpoint__broadcaster__platform")
    ]
    poison = outcomes[1].attempt._replace(remote_address="x" * 65)
    outcomes[1] = outcomes[1]._replace(attempt=poison)

    assert settle(outcomes, lease_id=lease.id, shard=1) == 3

    assert Attempt.objects.count() == 3
    assert [a.evidence["reason"] for a in Attempt.objects.all()].count("unrecordable") == 1
    pending = Delivery.objects.filter(status=DeliveryStatus.PENDING, lease_id=None)
    assert pending.count() == 3
