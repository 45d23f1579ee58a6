"""The audit log: who did what, when and from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, models, transaction
from django.dispatch import receiver
from django.utils import timezone

from subscriptions.models.broadcaster import Broadcaster
from subscriptions.models.user import User
from subscriptions.prepared_statements import is_postgresql

_removal_allowed: ContextVar[bool] = ContextVar("audit_removal_allowed", default=False)


class AuditIsAppendOnly(Exception):
    """Something tried to change or delete an audit entry."""

    def __init__(self) -> None:
        super().__init__(
            "Audit entries are only ever added. To delete old ones, or a broadcaster with its log, "
            "do it inside subscriptions.models.audit.removal_allowed()."
        )


@contextmanager
def removal_allowed() -> Iterator[None]:
    """One transaction in which entries can be deleted, to apply retention or delete a broadcaster.

    On PostgreSQL a trigger refuses deletions, except under a setting of this transaction alone.
    """
    with transaction.atomic():
        _tell_trigger("allowed")
        token = _removal_allowed.set(True)
        try:
            yield
        finally:
            _removal_allowed.reset(token)
            if not connection.needs_rollback:
                # The transaction may be part of the caller's, which goes on.
                _tell_trigger("")


def _tell_trigger(setting: str) -> None:
    """Set what the trigger looks at, until the transaction ends; SQLite has no trigger."""
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('webhooks.audit_removal', %s, true)", [setting])


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries, which cannot be updated."""

    def update(self, **changes: Any) -> int:
        raise AuditIsAppendOnly


class AuditEntry(models.Model):
    """One change, reveal, resend or sign-in.

    Entries are only ever added: this class refuses all else, and on PostgreSQL a trigger does too.
    """

    # None if it concerns no broadcaster, such as a member of staff signing in.
    broadcaster = models.ForeignKey(
        Broadcaster, null=True, on_delete=models.CASCADE, related_name="audit_entries"
    )
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200, help_text="Who, as it was called then.")
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=60, help_text="For example endpoint.rotate_token.")
    target = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["broadcaster", "-id"], name="audit_page_of_broadcaster"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.target}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AuditIsAppendOnly
        super().save(*args, **options)


@receiver(models.signals.pre_delete, sender=AuditEntry)
def _refuse_delete(**_: Any) -> None:
    """Called for each entry, also for those that would be deleted with their broadcaster."""
    if not _removal_allowed.get():
        raise AuditIsAppendOnly
