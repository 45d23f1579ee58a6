"""API credentials of a broadcaster."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from subscriptions.models.broadcaster import Broadcaster


class Scope(models.TextChoices):
    EVENTS_WRITE = "events:write", "Publish events"
    EVENTS_READ = "events:read", "Read events, deliveries and attempts"
    ENDPOINTS_WRITE = "endpoints:write", "Change endpoints, resend, replay"
    ENDPOINTS_READ = "endpoints:read", "Read endpoints"
    TOKENS_WRITE = "tokens:write", "Make and revoke tokens"


class PublisherToken(models.Model):
    """A credential of the API.

    Its SHA-256 is stored; its plain text is shown once, when it is created.
    """

    public_id = models.CharField(max_length=40, unique=True)
    broadcaster = models.ForeignKey(
        Broadcaster, on_delete=models.CASCADE, related_name="publisher_tokens"
    )
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=8, help_text="The last four characters.")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (
            self.expires_at is None or self.expires_at > timezone.now()
        )
