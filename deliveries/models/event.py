"""Events: something that happened, with its body made once."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from deliveries.payload.envelope import read_data
from subscriptions.identifiers import uuid7
from subscriptions.models import Broadcaster


class Event(models.Model):
    """The primary key orders by time; `event_id` is the public one, the publisher's own if given."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    broadcaster = models.ForeignKey(
        Broadcaster,
        on_delete=models.CASCADE,
        related_name="events",
        db_index=False,
        db_constraint=False,
    )
    event_id = models.CharField(max_length=64)
    topic = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    # Text, not jsonb: jsonb reorders keys and refuses \u0000.
    body = models.TextField(help_text="The exact text that is signed and sent.")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of topic and data.")
    idempotency_key = models.CharField(  # noqa: DJ001  null means none: only keys are unique
        max_length=255, null=True, blank=True
    )
    test = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["broadcaster", "event_id"], name="event_id_unique"),
            models.UniqueConstraint(
                fields=["broadcaster", "idempotency_key"],
                name="event_idempotency_key_unique",
                condition=Q(idempotency_key__isnull=False),
            ),
        ]
        indexes = [
            # the events page, newest first, keyset-paged
            models.Index(fields=["broadcaster", "-id"], name="event_page"),
            # the same page filtered by topic; replays
            models.Index(fields=["broadcaster", "topic", "-id"], name="event_page_topic"),
        ]

    def __str__(self) -> str:
        return self.event_id

    @property
    def data(self) -> dict[str, Any]:
        """The topic-specific payload, read back out of the body."""
        return read_data(self.broadcaster.rules.body, self.body)
