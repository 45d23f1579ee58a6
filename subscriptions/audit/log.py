"""Who acts, and how what they do is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from subscriptions.models import AuditEntry, Broadcaster, PublisherToken, User


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, a publisher token, the command line or the system; `label` is its name."""

    label: str
    user: User | None = None
    address: str | None = None

    @classmethod
    def of_user(cls, user: User, address: str | None = None) -> Actor:
        return cls(label=user.email, user=user, address=address)

    @classmethod
    def of_token(cls, token: PublisherToken, address: str | None = None) -> Actor:
        return cls(label=f"token {token.name} (…{token.hint})", address=address)


SYSTEM = Actor(label="system")
COMMAND_LINE = Actor(label="command line")


def record(
    *,
    broadcaster: Broadcaster,
    actor: Actor,
    action: str,
    target: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry, in the caller's transaction.

    before, after: what changed, as it was and as it is; never a secret.
    """
    return AuditEntry.objects.create(
        broadcaster=broadcaster,
        actor=actor.user,
        actor_label=actor.label,
        address=actor.address,
        action=action,
        target=target,
        before=before,
        after=after,
    )


def record_for_user(
    *,
    user: User | None,
    actor: Actor,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an entry about an account to the log of each broadcaster that its user is a member of.

    For a user without broadcasters, and for None (no account was found), it is one that only staff
    can see.
    """
    broadcasters: list[Broadcaster | None] = []
    if user is not None:
        broadcasters += Broadcaster.objects.filter(members__user=user)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            broadcaster=broadcaster,
            actor=actor.user,
            actor_label=actor.label,
            address=actor.address,
            action=action,
            target=user.email if user and user != actor.user else "",
            before=before,
            after=after,
        )
        for broadcaster in broadcasters or [None]
    )
