"""Tenants, their members, and invitations to become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from subscriptions.models.platform import Platform
from subscriptions.models.user import User

if TYPE_CHECKING:
    from subscriptions.platforms.rules import PlatformRules


class Environment(models.TextChoices):
    LIVE = "live", "Live"
    SANDBOX = "sandbox", "Sandbox"


class BroadcasterQuerySet(models.QuerySet["Broadcaster"]):
    def for_user(self, user: User) -> BroadcasterQuerySet:
        """The broadcasters that the user is a member of, and their sandboxes."""
        live = Member.objects.filter(user=user).values("broadcaster_id")
        return self.filter(Q(pk__in=live) | Q(live__in=live))

    def lock(self, pk: int) -> Broadcaster:
        """The broadcaster with its platform, locked until the caller's transaction ends.

        Verbs that count what it has take this lock: two at once could pass a limit together.
        """
        return self.select_for_update(of=("self",)).select_related("platform").get(pk=pk)


class Broadcaster(models.Model):
    """A tenant on one platform. Each live one has a sandbox, a tenant like any other."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="broadcasters")
    environment = models.CharField(max_length=8, choices=Environment, default=Environment.LIVE)
    live = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="sandbox"
    )
    max_endpoints = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: the platform's own limit."
    )
    publish_rate = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Events per second over the API; empty: as the server's WEBHOOKS_PUBLISH_RATE "
        "says; 0: no limit.",
    )
    paused = models.BooleanField(default=False, help_text="Nothing is sent while this is set.")
    created_at = models.DateTimeField(default=timezone.now)
    objects = BroadcasterQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(environment="live", live=None) | Q(environment="sandbox"),
                name="only_a_sandbox_has_a_live_twin",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} (sandbox)" if self.is_sandbox else self.name

    @property
    def is_sandbox(self) -> bool:
        return self.environment == Environment.SANDBOX

    @property
    def rules(self) -> PlatformRules:
        return self.platform.rules

    @property
    def endpoint_limit(self) -> int | None:
        """How many endpoints it may have; None is no limit."""
        return self.max_endpoints if self.max_endpoints is not None else self.rules.max_endpoints

    @property
    def publish_limit(self) -> int:
        """Events per second that its publishers may send; 0 is no limit."""
        default: int = settings.WEBHOOKS_PUBLISH_RATE
        return default if self.publish_rate is None else self.publish_rate

    @property
    def twin(self) -> Broadcaster | None:
        """The sandbox of a live broadcaster, the live one of a sandbox; None if there is none."""
        return self.live if self.is_sandbox else getattr(self, "sandbox", None)

    def role_of(self, user: User) -> Role | None:
        """The user's role here; membership of a live broadcaster covers its sandbox."""
        member = Member.objects.filter(broadcaster_id=self.live_id or self.pk, user=user).first()
        return Role(member.role) if member else None


class Role(models.TextChoices):
    OWNER = "owner", "Owner"  # everything, team and account included
    DEVELOPER = "developer", "Developer"  # webhooks, tests, resends, tokens
    VIEWER = "viewer", "Viewer"  # reads


class Member(models.Model):
    """A user's role in a live broadcaster, and so in its sandbox."""

    broadcaster = models.ForeignKey(Broadcaster, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["broadcaster", "user"], name="one_role_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Invitation(models.Model):
    """An offer of a role to an email address; accepted once, through a link."""

    broadcaster = models.ForeignKey(
        Broadcaster, on_delete=models.CASCADE, related_name="invitations"
    )
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the link's token.")
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"
