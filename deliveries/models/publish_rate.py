"""How far broadcasters with a publish rate have used it up."""

from __future__ import annotations

from django.db import models

from subscriptions.models import Broadcaster


class PublishRate(models.Model):
    """One number that all web processes move on together, each event by its share of a second."""

    broadcaster = models.OneToOneField(
        Broadcaster, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    # Seconds since the epoch, as a number: both databases calculate with it in the same words.
    paid_until = models.FloatField()

    def __str__(self) -> str:
        return f"publish rate of {self.broadcaster_id}"
