"""What endpoints with a rate limit have left to spend."""

from __future__ import annotations

from django.db import models

from subscriptions.models import Endpoint


class EndpointRate(models.Model):
    """A token bucket, shared by all workers through its row."""

    endpoint = models.OneToOneField(
        Endpoint, on_delete=models.CASCADE, related_name="rate", primary_key=True
    )
    tokens = models.FloatField()
    filled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"rate of {self.endpoint_id}"
