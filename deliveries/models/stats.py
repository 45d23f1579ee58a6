"""Roll-ups: what charts and health read instead of the log."""

from __future__ import annotations

from django.db import models

from subscriptions.models import Broadcaster, Endpoint

# Upper bounds, in milliseconds, of the response-time histogram; the last bucket has none.
DURATION_BOUNDS_MS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000)


class EndpointHour(models.Model):
    """Attempts of an endpoint in an hour. One row per writing pump, so that none waits."""

    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.CASCADE,
        related_name="hours",
        db_index=False,
        db_constraint=False,
    )
    broadcaster = models.ForeignKey(
        Broadcaster,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    hour = models.DateTimeField()
    shard = models.PositiveSmallIntegerField()
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    exhausted = models.PositiveIntegerField(default=0, help_text="Deliveries that ended as failed.")
    # How many responses took at most DURATION_BOUNDS_MS[n]; ms_11 is all that took longer.
    ms_0 = models.PositiveIntegerField(default=0)
    ms_1 = models.PositiveIntegerField(default=0)
    ms_2 = models.PositiveIntegerField(default=0)
    ms_3 = models.PositiveIntegerField(default=0)
    ms_4 = models.PositiveIntegerField(default=0)
    ms_5 = models.PositiveIntegerField(default=0)
    ms_6 = models.PositiveIntegerField(default=0)
    ms_7 = models.PositiveIntegerField(default=0)
    ms_8 = models.PositiveIntegerField(default=0)
    ms_9 = models.PositiveIntegerField(default=0)
    ms_10 = models.PositiveIntegerField(default=0)
    ms_11 = models.PositiveIntegerField(default=0)

    class Meta:
        # The hour first: what all endpoints add to now lies together, however many hours there are.
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "endpoint", "shard"], name="endpoint_hour_shard"
            )
        ]
        indexes = [
            # the overview's chart
            models.Index(fields=["broadcaster", "hour"], name="endpoint_hour_overview"),
            # one endpoint's chart, and health in lists; adding to an hour seldom changes it
            models.Index(fields=["endpoint", "hour"], name="endpoint_hour_history"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.hour:%Y-%m-%d %H}h"


class EndpointHealth(models.Model):
    """How an endpoint has been answering. Apart from Endpoint: it changes with each batch."""

    endpoint = models.OneToOneField(
        Endpoint, on_delete=models.CASCADE, related_name="health", primary_key=True
    )
    consecutive_failures = models.PositiveIntegerField(default=0)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=24, blank=True)
    last_status_code = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"health of {self.endpoint_id}"
