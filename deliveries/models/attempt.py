"""Attempts: one HTTP request of a delivery, or the proof that one may have been made."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import models

from deliveries.models.delivery import Delivery, Trigger
from subscriptions.identifiers import uuid7, uuid_to_public
from subscriptions.models import Broadcaster, Endpoint


class Outcome(models.TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"  # the sender died before it could record what came of it


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def of_deliveries(self, keys: Iterable[UUID]) -> AttemptQuerySet:
        """Of these deliveries, looked up before, for the same reason as Delivery.of_events."""
        found = Attempt.objects.filter(delivery__in=keys).order_by().values_list("pk", flat=True)
        return self.filter(pk__in=list(found))


class Attempt(models.Model):
    """The request body is the event's; the explanation is derived from `failure` and `evidence`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.CASCADE,
        related_name="attempts",
        db_index=False,
        db_constraint=False,
    )
    broadcaster = models.ForeignKey(
        Broadcaster,
        on_delete=models.CASCADE,
        related_name="attempts",
        db_index=False,
        db_constraint=False,
    )
    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.CASCADE,
        related_name="attempts",
        db_index=False,
        db_constraint=False,
    )
    topic = models.CharField(max_length=100)
    test = models.BooleanField(default=False)
    number = models.PositiveIntegerField()
    trigger = models.CharField(max_length=8, choices=Trigger)
    outcome = models.CharField(max_length=10, choices=Outcome)
    failure = models.CharField(max_length=24, blank=True)
    retry_reason = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField()
    responded_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    dns_ms = models.FloatField(null=True, blank=True)
    connect_ms = models.FloatField(null=True, blank=True)
    tls_ms = models.FloatField(null=True, blank=True)
    first_byte_ms = models.FloatField(null=True, blank=True)
    remote_address = models.CharField(max_length=64, blank=True)
    request_url = models.CharField(max_length=2048)
    request_headers = models.JSONField(default=list)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    response_headers = models.JSONField(default=list)
    response_body = models.BinaryField(default=bytes)
    response_truncated = models.BooleanField(default=False)
    evidence = models.JSONField(default=dict)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # the attempts of a delivery, in order
            models.Index(fields=["delivery", "number"], name="attempt_of_delivery"),
            # the flat event log, newest first, keyset-paged
            models.Index(fields=["broadcaster", "-id"], name="attempt_page"),
            models.Index(fields=["endpoint", "-id"], name="attempt_page_endpoint"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return uuid_to_public("att", self.id)
