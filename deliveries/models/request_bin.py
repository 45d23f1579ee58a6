"""The built-in request bin: a receiver on the same server, for the first delivery."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from subscriptions.identifiers import new_public_id
from subscriptions.models import Broadcaster

# As answer_status: the connection is held until the sender gives up.
NO_ANSWER = 0


def new_bin_id() -> str:
    return new_public_id("bin")


class RequestBin(models.Model):
    """What it answers is the user's to set: a status, a delay, or nothing at all."""

    public_id = models.CharField(max_length=40, unique=True, default=new_bin_id)
    broadcaster = models.OneToOneField(
        Broadcaster, on_delete=models.CASCADE, related_name="request_bin"
    )
    answer_status = models.PositiveSmallIntegerField(default=200)
    answer_delay_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.public_id


class BinRequest(models.Model):
    """One request that came in; the newest hundred of a bin are kept."""

    bin = models.ForeignKey(RequestBin, on_delete=models.CASCADE, related_name="requests")
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=2048)
    headers = models.JSONField(default=list)
    body = models.BinaryField(default=bytes)
    verified = models.BooleanField(null=True, blank=True, help_text="Empty: it is not signed.")
    verified_by = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it is verified, or not.")
    answered_status = models.PositiveSmallIntegerField(null=True, blank=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def shown_path(self) -> str:
        """What of the path is below the bin's own: `/` or `/status/500/`."""
        return "/" + "/".join(self.path.split("/")[3:])
