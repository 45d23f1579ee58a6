"""The members of a broadcaster: invited, joining, given another role, removed."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict, NotFound, Refused
from subscriptions.models import Broadcaster, Invitation, Member, User
from subscriptions.models.broadcaster import Role

INVITATION_LIFETIME = timedelta(days=7)
MAX_OPEN_INVITATIONS = 100


class NewInvitation(NamedTuple):
    """An invitation, with the token for its link."""

    invitation: Invitation
    token: str  # plain text of the link, here once


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check_role(role: str) -> Role:
    if role not in Role.values:
        raise Refused(
            f"Unknown role {role!r}: use {', '.join(Role.values)}.",
            code="invalid_role",
            pointer="/role",
        )
    return Role(role)


def list_open_invitations(broadcaster: Broadcaster) -> list[Invitation]:
    """The live broadcaster's invitations that can still be accepted."""
    return list(
        broadcaster.invitations.filter(
            accepted_at=None, expires_at__gt=timezone.now()
        ).select_related("invited_by")
    )


@transaction.atomic
def invite(*, broadcaster: Broadcaster, email: str, role: str, actor: Actor) -> NewInvitation:
    """Offer a role to an address; the token goes into a link that works once, for 7 days.

    It replaces an open invitation of the same address. Raises Refused for an unknown role, Conflict
    for someone who is a member already, or at MAX_OPEN_INVITATIONS.
    """
    chosen, email = _check_role(role), email.strip().lower()
    if broadcaster.members.filter(user__email__iexact=email).exists():
        raise Conflict(f"{email} is a member already.", code="already_a_member")
    now = timezone.now()
    open_invitations = broadcaster.invitations.filter(accepted_at=None, expires_at__gt=now)
    open_invitations.filter(email=email).update(expires_at=now)
    if open_invitations.count() >= MAX_OPEN_INVITATIONS:
        raise Conflict(
            f"{MAX_OPEN_INVITATIONS} invitations are open: withdraw one first.",
            code="invitation_limit_reached",
        )
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        broadcaster=broadcaster,
        email=email,
        role=chosen,
        digest=_digest(token),
        invited_by=actor.user,
        expires_at=now + INVITATION_LIFETIME,
    )
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="member.invite",
        target=email,
        after={"role": chosen},
    )
    return NewInvitation(invitation, token)


def find_invitation(token: str) -> Invitation | None:
    """The open invitation of a link's token; None if it was used or withdrawn, or is too old."""
    return (
        Invitation.objects.select_related("broadcaster__platform", "invited_by")
        .filter(digest=_digest(token), accepted_at=None, expires_at__gt=timezone.now())
        .first()
    )


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the invitation was sent to the user's address."""
    return user.email.lower() == invitation.email.lower()


@transaction.atomic
def accept_invitation(*, token: str, user: User, actor: Actor) -> Broadcaster:
    """Make the user a member; the link works no more.

    Only the account with the invited address can accept: a link is lost more easily than a mailbox.
    Raises NotFound for a link that does not work, Conflict for a member or another address.
    """
    invitation = find_invitation(token)
    if invitation is None:
        raise NotFound(
            "This invitation was used, withdrawn, or is older than 7 days: ask for a new one.",
            code="invitation_gone",
        )
    broadcaster = invitation.broadcaster
    if broadcaster.members.filter(user=user).exists():
        raise Conflict(
            f"{user.email} is a member of {broadcaster} already.", code="already_a_member"
        )
    if not is_for(invitation, user):
        raise Conflict(
            f"This invitation is for {invitation.email}, and you are {user.email}: sign in with "
            f"that address, or ask for an invitation of yours.",
            code="other_address",
        )
    used = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(
        accepted_at=timezone.now()
    )
    if not used:
        raise NotFound("This invitation was used a moment ago.", code="invitation_gone")
    Member.objects.create(broadcaster=broadcaster, user=user, role=invitation.role)
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="member.join",
        target=user.email,
        after={"role": invitation.role, "invited_as": invitation.email},
    )
    return broadcaster


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, actor: Actor) -> None:
    """End an open invitation: its link works no more."""
    now = timezone.now()
    if Invitation.objects.filter(pk=invitation.pk, accepted_at=None, expires_at__gt=now).update(
        expires_at=now
    ):
        record(
            broadcaster=invitation.broadcaster,
            actor=actor,
            action="member.withdraw_invitation",
            target=invitation.email,
        )


def _check_other_owner(member: Member) -> None:
    """Raise Conflict if the member is the only owner.

    The lock keeps two owners from leaving at once.
    """
    Broadcaster.objects.lock(member.broadcaster_id)
    others = Member.objects.filter(broadcaster_id=member.broadcaster_id, role=Role.OWNER).exclude(
        pk=member.pk
    )
    if member.role == Role.OWNER and not others.exists():
        raise Conflict(
            f"{member.user.email} is the only owner: make someone else an owner first.",
            code="last_owner",
        )


@transaction.atomic
def change_role(*, member: Member, role: str, actor: Actor) -> bool:
    """Give a member another role; False if they have it already.

    Raises Conflict for the last owner.
    """
    chosen = _check_role(role)
    if chosen == member.role:
        return False
    _check_other_owner(member)
    before = member.role
    member.role = chosen
    member.save(update_fields=["role"])
    record(
        broadcaster=member.broadcaster,
        actor=actor,
        action="member.change_role",
        target=member.user.email,
        before={"role": before},
        after={"role": chosen},
    )
    return True


@transaction.atomic
def remove_member(*, member: Member, actor: Actor) -> None:
    """Take a member out, or let one leave. Raises Conflict for the last owner."""
    _check_other_owner(member)
    record(
        broadcaster=member.broadcaster,
        actor=actor,
        action="member.remove",
        target=member.user.email,
        before={"role": member.role},
    )
    member.delete()
