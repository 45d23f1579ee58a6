"""The people of a broadcaster: invited, let in, given another role, removed."""

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

INVITATION_LIFE = timedelta(days=7)
MAX_OPEN_INVITATIONS = 100


class NewInvitation(NamedTuple):
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


def open_invitations(broadcaster: Broadcaster) -> list[Invitation]:
    """Those that can still be accepted, of the live broadcaster."""
    return list(
        broadcaster.invitations.filter(
            accepted_at=None, expires_at__gt=timezone.now()
        ).select_related("invited_by")
    )


@transaction.atomic
def invite(*, broadcaster: Broadcaster, email: str, role: str, actor: Actor) -> NewInvitation:
    """Offer a role; the token goes into a link that works once, for 7 days.

    A new invitation of the same address takes the place of an open one. Raises Refused for an
    unknown role, Conflict for someone who is a member already or at the limit.
    """
    chosen, email = _check_role(role), email.strip().lower()
    if broadcaster.members.filter(user__email__iexact=email).exists():
        raise Conflict(f"{email} is a member already.", code="already_a_member")
    now = timezone.now()
    open_ones = broadcaster.invitations.filter(accepted_at=None, expires_at__gt=now)
    open_ones.filter(email=email).update(expires_at=now)
    if open_ones.count() >= MAX_OPEN_INVITATIONS:
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
        expires_at=now + INVITATION_LIFE,
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
    """The open invitation that the link is for; None for a used, withdrawn or late one."""
    return (
        Invitation.objects.select_related("broadcaster__platform", "invited_by")
        .filter(digest=_digest(token), accepted_at=None, expires_at__gt=timezone.now())
        .first()
    )


def is_for(invitation: Invitation, user: User) -> bool:
    return user.email.lower() == invitation.email.lower()


@transaction.atomic
def accept_invitation(*, token: str, user: User, actor: Actor) -> Broadcaster:
    """Make the user a member; an accepted link is used up.

    It is for the account with its address alone: a link goes astray more easily than a mailbox.
    Raises NotFound, Conflict.
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
    """From now on its link opens nothing."""
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


def _lock_owners(member: Member) -> None:
    """Raises Conflict where the member is the only owner. The lock keeps two from leaving at once."""
    Broadcaster.objects.select_for_update(of=("self",)).get(pk=member.broadcaster_id)
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
    """Give a member another role; False where it has it already. The last owner stays one."""
    chosen = _check_role(role)
    if chosen == member.role:
        return False
    _lock_owners(member)
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
    _lock_owners(member)
    record(
        broadcaster=member.broadcaster,
        actor=actor,
        action="member.remove",
        target=member.user.email,
        before={"role": member.role},
    )
    member.delete()
