"""Who did what, when, from where."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from subscriptions.models.broadcaster import Broadcaster
from subscriptions.models.user import User


class AuditEntry(models.Model):
    """One change, reveal, resend or sign-in. Only ever added to."""

    broadcaster = models.ForeignKey(
        Broadcaster, null=True, on_delete=models.CASCADE, related_name="audit_entries"
    )
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=200, help_text="Who, as it was called then.")
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=60, help_text="For example endpoint.rotate_token.")
    target = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["broadcaster", "-id"], name="audit_page_of_broadcaster"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.target}"
