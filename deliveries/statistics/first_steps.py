"""The first steps of a broadcaster, ticked by what really happened."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, QuerySet, Subquery

from deliveries.models import (
    BinRequest,
    Delivery,
    DeliveryStatus,
    EndpointHour,
    Variant,
    VariantKind,
)
from deliveries.statistics.endpoint_health import next_due
from subscriptions.models import Broadcaster

# How a receiver says that it does not believe a signature.
_REFUSALS = (400, 401, 403)
_NEW_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a broadcaster from its tables, and since when its queue waits."""

    has_webhook: bool
    test_received: bool
    signature_verified: bool
    first_delivered: bool
    oldest_due_at: datetime | None

    def is_first_run(self, broadcaster: Broadcaster, now: datetime) -> bool:
        """Whether the check-list is still of use."""
        is_new = now - broadcaster.created_at < _NEW_FOR
        return not self.is_complete(broadcaster) and (is_new or not self.first_delivered)

    def is_complete(self, broadcaster: Broadcaster) -> bool:
        verified = self.signature_verified or not signs(broadcaster)
        return self.has_webhook and self.test_received and verified and self.first_delivered


def signs(broadcaster: Broadcaster) -> bool:
    return broadcaster.rules.signature.scheme != "none"


def _forgeries_refused(broadcaster: Broadcaster) -> QuerySet[Variant]:
    """Runs of the fault pack in which a receiver took the usual request and no forged one."""
    usual = Variant.objects.filter(
        run=OuterRef("run"), kind=VariantKind.USUAL, delivery__status=DeliveryStatus.DELIVERED
    )
    return Variant.objects.filter(
        Exists(usual),
        kind=VariantKind.BAD_SIGNATURE,
        # Said though it is always so: the tests have an index of their own.
        delivery__test=True,
        delivery__broadcaster=broadcaster,
        delivery__status_code__in=_REFUSALS,
    )


def read_evidence(broadcaster: Broadcaster) -> Evidence:
    """One query."""
    mine = broadcaster.endpoints.live()
    tests = Delivery.objects.filter(broadcaster=broadcaster, test=True)
    hours = EndpointHour.objects.filter(broadcaster=broadcaster, succeeded__gt=0)
    waiting = mine.annotate(due_at=next_due(OuterRef("pk"))).exclude(due_at=None)
    return Evidence(
        *Broadcaster.objects.filter(pk=broadcaster.pk)
        .annotate(
            has_webhook=Exists(mine),
            test_received=Exists(tests.filter(status=DeliveryStatus.DELIVERED)),
            signature_verified=ExpressionWrapper(
                Exists(BinRequest.objects.filter(bin__broadcaster=broadcaster, verified=True))
                | Exists(_forgeries_refused(broadcaster)),
                output_field=BooleanField(),
            ),
            first_delivered=Exists(hours),
            oldest_due_at=Subquery(waiting.order_by("due_at").values("due_at")[:1]),
        )
        .values_list(*(column.name for column in fields(Evidence)))
        .get()
    )
