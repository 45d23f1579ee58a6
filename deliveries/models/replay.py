"""Replays: jobs that deliver past events again."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from subscriptions.identifiers import new_public_id
from subscriptions.models import Broadcaster, Endpoint, User


class ReplayStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


def new_replay_id() -> str:
    return new_public_id("rpl")


class Replay(models.Model):
    """Its state lives here, so that a slice of the work can be done by any worker."""

    public_id = models.CharField(max_length=40, unique=True, default=new_replay_id)
    broadcaster = models.ForeignKey(Broadcaster, on_delete=models.CASCADE, related_name="replays")
    endpoint = models.ForeignKey(
        Endpoint, null=True, blank=True, on_delete=models.CASCADE, related_name="replays"
    )
    target = models.ForeignKey(
        Endpoint, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    since = models.DateTimeField()
    until = models.DateTimeField()
    topics = models.JSONField(default=list)
    statuses = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=ReplayStatus, default=ReplayStatus.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cursor = models.UUIDField(null=True, blank=True, help_text="The last event looked at.")
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.public_id
