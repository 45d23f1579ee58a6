"""The first steps of a broadcaster: which of them are done, read from what really happened."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, QuerySet, Subquery

from deliveries.models import (
    BinRequest,
    DeliveryStatus,
    EndpointHour,
    Variant,
    VariantKind,
)
from deliveries.statistics.endpoint_health import next_due_subquery
from subscriptions.models import Broadcaster

# The statuses with which a receiver refuses a bad signature.
_REFUSALS = (400, 401, 403)
_NEW_PERIOD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The steps that are done. oldest_due_at: when its earliest pending delivery is due."""

    has_webhook: bool
    test_received: bool
    signature_verified: bool
    first_delivered: bool
    oldest_due_at: datetime | None

    def is_first_run(self, broadcaster: Broadcaster, now: datetime) -> bool:
        """Whether the check-list is shown: it is not complete, and the broadcaster new or unused."""
        is_new = now - broadcaster.created_at < _NEW_PERIOD
        return not self.is_complete(broadcaster) and (is_new or not self.first_delivered)

    def is_complete(self, broadcaster: Broadcaster) -> bool:
        verified = self.signature_verified or not signs_requests(broadcaster)
        return self.has_webhook and self.test_received and verified and self.first_delivered


def signs_requests(broadcaster: Broadcaster) -> bool:
    """Whether the platform signs, so that a receiver has a signature to verify."""
    return broadcaster.rules.signature.scheme != "none"


def _forgeries_refused(broadcaster: Broadcaster) -> QuerySet[Variant]:
    """Runs of the fault pack in which a receiver accepted the usual request and refused the forged."""
    usual = Variant.objects.filter(
        run=OuterRef("run"), kind=VariantKind.USUAL, delivery__status=DeliveryStatus.DELIVERED
    )
    return Variant.objects.filter(
        Exists(usual),
        kind=VariantKind.BAD_SIGNATURE,
        # Always true of a variant; as a condition it lets the index of tests serve.
        delivery__test=True,
        delivery__broadcaster=broadcaster,
        delivery__status_code__in=_REFUSALS,
    )


def read_first_steps(broadcaster: Broadcaster) -> FirstSteps:
    """Read which steps the broadcaster has done, in one query."""
    mine = broadcaster.endpoints.live()
    tests = broadcaster.deliveries.filter(test=True)
    hours = EndpointHour.objects.filter(broadcaster=broadcaster, succeeded__gt=0)
    waiting = mine.annotate(due_at=next_due_subquery(OuterRef("pk"))).exclude(due_at=None)
    return FirstSteps(
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
        .values_list(*(column.name for column in fields(FirstSteps)))
        .get()
    )
