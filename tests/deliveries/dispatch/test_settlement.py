"""Settling a batch: an outcome that the database cannot hold, outcomes that come too late."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from deliveries.diagnosis import Failure
from deliveries.dispatch.leases import PumpLease
from deliveries.dispatch.outcomes import decide, record_not_sent, record_unknown
from deliveries.dispatch.settlement import settle
from deliveries.dispatch.store.records import Claim
from deliveries.models import Attempt, Delivery, DeliveryStatus
from deliveries.publishing import publish
from tests.deliveries.diagnosis.results import answer
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(count: int) -> tuple[PumpLease, list[Claim]]:
    broadcaster = broadcaster_on("cryptlex").broadcaster
    endpoint_at("https://example.com/", broadcaster)
    for _ in range(count):
        publish(broadcaster=broadcaster, topic="license.created", data={})
    lease = PumpLease.take(1)
    assert lease is not None
    Delivery.objects.update(lease_id=lease.id)
    deliveries = Delivery.objects.select_related("endpoint__broadcaster__platform").order_by("pk")
    return lease, [Claim.of(delivery) for delivery in deliveries]


def test_an_outcome_that_does_not_fit_is_logged_bare_and_holds_nobody_up() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only on PostgreSQL: SQLite takes any length")
    lease, claims = claimed(3)
    outcomes = [record_not_sent(claim, timezone.now(), reason="x") for claim in claims]
    poison = outcomes[1].attempt._replace(remote_address="x" * 65)
    outcomes[1] = outcomes[1]._replace(attempt=poison)

    assert settle(outcomes, lease_id=lease.id, shard=1) == 3

    assert Attempt.objects.count() == 3
    assert [a.evidence["reason"] for a in Attempt.objects.all()].count("unrecordable") == 1
    pending = Delivery.objects.filter(status=DeliveryStatus.PENDING, lease_id=None)
    assert pending.count() == 3


def test_of_a_batch_only_what_still_carries_the_lease_counts() -> None:
    """In two states: those of the state that most have are written another way than the others."""
    lease, claims = claimed(5)
    now = timezone.now()
    alike = [record_unknown(claim, now) for claim in claims[:3]]
    others = [record_not_sent(claim, now, reason="x") for claim in claims[3:]]
    late = {alike[1].claim.delivery_id, others[0].claim.delivery_id}
    Delivery.objects.filter(pk__in=late).update(lease_id=None)

    assert settle([*alike, *others], lease_id=lease.id, shard=1) == 3

    counted = {claim.delivery_id for claim in claims} - late
    assert {attempt.delivery_id for attempt in Attempt.objects.all()} == counted
    assert {d.pk for d in Delivery.objects.filter(attempt_count=1)} == counted

    Delivery.objects.update(lease_id=None)
    assert settle([*alike, *others], lease_id=lease.id, shard=1) == 0
    assert Attempt.objects.count() == 3


def test_what_a_response_is_classified_as_reaches_the_rows_as_plain_text() -> None:
    """The binary COPY of PostgreSQL writes the exact type str, and no member of an enumeration."""
    _lease, (claim,) = claimed(1)
    settled = decide(claim, answer(500), headers=())
    assert settled.attempt.failure == Failure.HTTP_5XX
    assert type(settled.attempt.failure) is str
