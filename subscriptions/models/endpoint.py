"""Customers' URLs, which the portal calls webhooks, and the topics that each wants."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from subscriptions.identifiers import new_public_id
from subscriptions.models.broadcaster import Broadcaster
from subscriptions.models.platform import Topic
from subscriptions.models.user import User
from subscriptions.prepared_statements import instances

# In place of a list of topics: all of them, later ones included.
ALL_TOPICS = "*"


class EndpointStatus(models.TextChoices):
    ACTIVE = "active", "Active"  # gets the events of its topics
    INACTIVE = "inactive", "Inactive"  # the user switched it off: nothing is sent
    SUSPENDED = "suspended", "Suspended"  # the system stopped it after failures, or a 410


def new_endpoint_id() -> str:
    return new_public_id("ep")


_WANTING = """
WHERE t.broadcaster_id = %s AND t.deleted_at IS NULL AND t.active AND (t.all_topics OR EXISTS (
    SELECT 1 FROM subscriptions_subscription AS s
    JOIN subscriptions_topic AS topic ON topic.id = s.topic_id
    WHERE s.endpoint_id = t.id AND topic.name = %s))
ORDER BY t.id
"""


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def live(self) -> EndpointQuerySet:
        """Endpoints that are not deleted."""
        return self.filter(deleted_at=None)

    def sendable(self) -> EndpointQuerySet:
        """Endpoints that may be sent to: there, switched on, and not suspended."""
        return self.filter(deleted_at=None, active=True, suspended_at=None)

    def wanting(self, broadcaster: Broadcaster, topic: str) -> list[Endpoint]:
        """The broadcaster's endpoints that want the topic: suspended ones too, inactive ones not.

        They come with id, public_id and suspended_at. Index: endpoint_live_by_broadcaster.
        """
        fields = ("id", "public_id", "suspended_at")
        return instances(Endpoint, fields, _WANTING, [broadcaster.pk, topic])


class Endpoint(models.Model):
    """A URL of a customer. A deleted one keeps its row, so that its log stays readable."""

    public_id = models.CharField(max_length=40, unique=True, default=new_endpoint_id)
    broadcaster = models.ForeignKey(Broadcaster, on_delete=models.CASCADE, related_name="endpoints")
    name = models.CharField(max_length=100)
    url = models.CharField("URL", max_length=2048)
    description = models.TextField(blank=True)
    all_topics = models.BooleanField(default=False, help_text="All topics, later ones included.")
    topics = models.ManyToManyField(Topic, through="Subscription", related_name="endpoints")
    active = models.BooleanField(default=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    status_reason = models.CharField(max_length=200, blank=True)
    status_changed_at = models.DateTimeField(default=timezone.now)
    status_changed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    headers = models.JSONField(default=list, blank=True, help_text="List of [name, value].")
    rate_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests per second; empty: no limit."
    )
    timeout_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: the platform's own."
    )
    signature = models.CharField(  # noqa: DJ001  null means the platform's own, "" means nothing
        max_length=12,
        null=True,
        blank=True,
        choices=[("none", "None"), ("standard", "Standard Webhooks")],
    )
    token_ciphertext = models.TextField(blank=True, editable=False)
    token_hint = models.CharField(max_length=4, blank=True)
    token_rotated_at = models.DateTimeField(null=True, blank=True)
    previous_token_ciphertext = models.TextField(blank=True, editable=False)
    previous_token_hint = models.CharField(max_length=4, blank=True)
    previous_expires_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # EndpointQuerySet.wanting, for each event that is published
            models.Index(
                fields=["broadcaster"],
                name="endpoint_live_by_broadcaster",
                condition=Q(deleted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def status(self) -> EndpointStatus:
        if not self.active:
            return EndpointStatus.INACTIVE
        return EndpointStatus.SUSPENDED if self.suspended_at else EndpointStatus.ACTIVE

    @property
    def is_sendable(self) -> bool:
        return self.status == EndpointStatus.ACTIVE and self.deleted_at is None

    @property
    def topic_names(self) -> list[str]:
        """Names in the catalogue's order, or [ALL_TOPICS]."""
        return [ALL_TOPICS] if self.all_topics else [topic.name for topic in self.topics.all()]

    @property
    def signature_scheme(self) -> str:
        """How its requests are signed: a scheme's name, "none" included."""
        if self.signature is None:
            return self.broadcaster.rules.signature.scheme
        return self.signature

    @property
    def is_signed(self) -> bool:
        return self.signature_scheme != "none"

    @property
    def token_format(self) -> str:
        """What its signing tokens look like: "text" or "whsec"."""
        rules = self.broadcaster.rules.signature
        return "whsec" if rules.scheme == "none" else rules.token_format

    @property
    def can_carry_two_signatures(self) -> bool:
        """Whether both tokens sign during an overlap; if not, the previous one signs to its end."""
        return self.broadcaster.rules.signature.scheme in ("standard", "none")

    def has_previous_token(self, now: datetime) -> bool:
        """Whether the token before the last rotation is still good."""
        return bool(
            self.previous_token_ciphertext
            and self.previous_expires_at
            and self.previous_expires_at > now
        )


class Subscription(models.Model):
    """An endpoint wants a topic."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="subscriptions")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="subscriptions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "topic"], name="one_subscription_each")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} wants {self.topic_id}"
