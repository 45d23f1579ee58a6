"""Deliveries: one event for one endpoint. This table is the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import BigIntegerField, F, Func, Q
from django.db.models.functions import Cast
from django.utils import timezone

from deliveries.models.event import Event
from subscriptions.identifiers import public_to_uuid, uuid7, uuid_to_public
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.paging import Narrowed


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "Pending"  # an attempt is due, planned or in flight
    DELIVERED = "delivered", "Delivered"  # the endpoint accepted it
    FAILED = "failed", "Failed"  # the last attempt allowed has failed
    CANCELLED = "cancelled", "Cancelled"  # stopped by a person, or its endpoint was


class Trigger(models.TextChoices):
    PUBLISH = "publish", "Published"
    RETRY = "retry", "Automatic retry"
    RESEND = "resend", "Resent by hand"
    REPLAY = "replay", "Replay"
    TEST = "test", "Test"


# What a pending delivery becomes when it is stopped: one that had arrived has arrived all the same.
STOPPED = models.Case(
    models.When(status_before=DeliveryStatus.DELIVERED, then=models.Value("delivered")),
    default=models.Value("cancelled"),
)


_NOT_DELIVERED = Func(
    F("status"),
    template="%(expressions)s IN ('pending', 'failed', 'cancelled')",
    output_field=models.BooleanField(),
)


def _search(text: str) -> Q:
    """A part of the event's id or body, or the endpoint's whole id."""
    by_event = Q(event__event_id__icontains=text) | Q(event__body__icontains=text)
    return by_event | Q(endpoint__public_id=text)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def narrowed(
        self,
        *,
        endpoints: Collection[int] | None = None,
        status: str | None = None,
        events: Iterable[UUID] | None = None,
        search: str | None = None,
        **compared: Any,
    ) -> Narrowed[Delivery]:
        """A broadcaster's deliveries as the log, the API, the export and replays narrow them down.

        endpoints and events: primary keys, None for all. search: a part of the event's id or body,
        a whole id of an endpoint, or a whole id of a delivery. compared: any other look-ups; those
        that are None are left out. Indexes: delivery_page_endpoint, delivery_page_status or
        delivery_page; the rest is compared row by row.
        """
        rows = self
        compared = {lookup: value for lookup, value in compared.items() if value is not None}
        # One index serves. As most deliveries arrive, any other status leaves less than an endpoint.
        if status and (endpoints is None or status != DeliveryStatus.DELIVERED):
            rows = rows.in_state(status)
            if endpoints is not None:
                # The cast keeps SQLite, which has no statistics, from the endpoint's index instead.
                rows = rows.alias(endpoint_key=Cast("endpoint_id", BigIntegerField()))
                compared["endpoint_key__in"] = endpoints
        else:
            rows = rows if endpoints is None else rows.filter(endpoint_id__in=endpoints)
            compared |= {"status": status} if status else {}
        rows = rows if events is None else rows.of_events(events)
        if search and (key := public_to_uuid("dlv", search)) is not None:
            return Narrowed(rows.filter(pk=key), Q(**compared))
        found = _search(search) if search else Q()
        return Narrowed(rows, Q(**compared) & found, scans_text=bool(search))

    def in_state(self, status: str) -> DeliveryQuerySet:
        """Deliveries of one status. Index: delivery_page_status, for all but delivered ones."""
        rows = self.filter(status=status)
        # SQLite takes a partial index only where its condition stands in the query, as constants.
        return rows if status == DeliveryStatus.DELIVERED else rows.filter(_NOT_DELIVERED)

    def of_events(self, keys: Iterable[UUID]) -> DeliveryQuerySet:
        """Deliveries of the events with these keys; `keys` may be a query for them.

        Their own keys are looked up first: SQLite would else walk through all of the broadcaster's
        to come by them in order.
        """
        found = Delivery.objects.filter(event__in=keys).order_by().values_list("pk", flat=True)
        return self.filter(pk__in=list(found))

    def due(self, now: datetime) -> DeliveryQuerySet:
        """Deliveries whose time has come: pending, and not in flight."""
        return self.filter(
            status=DeliveryStatus.PENDING, lease_id__isnull=True, next_attempt_at__lte=now
        )


class Delivery(models.Model):
    """Operators may set `next_attempt_at` of a pending one to now: it is then due now.

    No foreign-key constraints on tenant and endpoint, here and in the log: checking them locks the
    one row that every insert of a busy tenant refers to. Endpoints are never deleted from the
    table, and retention deletes what a deleted tenant leaves.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    broadcaster = models.ForeignKey(
        Broadcaster,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    topic = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    status_reason = models.CharField(max_length=300, blank=True)
    test = models.BooleanField(default=False)
    trigger = models.CharField(
        max_length=8,
        choices=Trigger,
        default=Trigger.PUBLISH,
        help_text="What the next attempt is made for.",
    )
    attempt_count = models.PositiveIntegerField(default=0)
    scheduled_count = models.PositiveIntegerField(
        default=0, help_text="Attempts made that the retry schedule counts."
    )
    max_attempts = models.PositiveIntegerField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    planned_at = models.DateTimeField(
        null=True, blank=True, help_text="The planned retry that a resend by hand goes before."
    )
    status_before = models.CharField(
        max_length=10, blank=True, help_text="The end it had reached before a resend by hand."
    )
    lease_id = models.BigIntegerField(
        null=True, blank=True, help_text="The pump run that is sending it: lease and fence."
    )
    failure = models.CharField(max_length=24, blank=True, help_text="Class of the last failure.")
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="one_delivery_each")
        ]
        # None mentions lease_id: so a claim changes no index (PostgreSQL: a heap-only update, for which
        # migration 0008 leaves room on each page).
        indexes = [
            # claim: what is due, endpoint by endpoint; holds nothing but the queue
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="delivery_due",
                condition=Q(status="pending"),
            ),
            # whether anything is due; readiness and backlog age: the oldest due delivery
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_due_oldest",
                condition=Q(status="pending"),
            ),
            # the log pages, newest first, keyset-paged, by their commonest filters
            models.Index(fields=["broadcaster", "-id"], name="delivery_page"),
            models.Index(fields=["endpoint", "-id"], name="delivery_page_endpoint"),
            # nearly all are delivered: for those, delivery_page does
            models.Index(
                fields=["broadcaster", "status", "-id"],
                name="delivery_page_status",
                condition=Q(status__in=["pending", "failed", "cancelled"]),
            ),
            # tests are few: the log's filter, and the first-run check-list
            models.Index(
                fields=["broadcaster", "-id"], name="delivery_page_test", condition=Q(test=True)
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return uuid_to_public("dlv", self.id)

    @property
    def is_in_flight(self) -> bool:
        return self.lease_id is not None
