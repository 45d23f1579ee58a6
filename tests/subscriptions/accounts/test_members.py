"""The people of a broadcaster, as verbs."""

from datetime import timedelta

import pytest
import time_machine

from subscriptions.accounts.members import (
    NewInvitation,
    accept_invitation,
    change_role,
    find_invitation,
    invite,
    list_open_invitations,
    remove_member,
    withdraw_invitation,
)
from subscriptions.audit import COMMAND_LINE
from subscriptions.errors import Conflict, NotFound, Refused
from subscriptions.models import Invitation, Member, User
from tests.portal_clients import Portal


def offer(portal: Portal, email: str = "new@example.com", role: str = "viewer") -> NewInvitation:
    return invite(broadcaster=portal.live, email=email, role=role, actor=COMMAND_LINE)


def member(portal: Portal, who: str) -> Member:
    return portal.live.members.get(user=portal.users[who])


def test_an_invitation_is_accepted_once(portal: Portal) -> None:
    made = offer(portal, role="developer")
    one, two = (User.objects.create_user(f"{n}@example.com") for n in ("other", "New"))
    with pytest.raises(Conflict, match=r"for new@example\.com"):
        accept_invitation(token=made.token, user=one, actor=COMMAND_LINE)
    assert accept_invitation(token=made.token, user=two, actor=COMMAND_LINE) == portal.live
    assert portal.live.role_of(two) == "developer"
    assert portal.sandbox.role_of(two) == "developer"
    with pytest.raises(NotFound):
        accept_invitation(token=made.token, user=two, actor=COMMAND_LINE)
    assert portal.live.role_of(one) is None


def test_the_link_is_stored_as_a_digest_only(portal: Portal) -> None:
    made = offer(portal)
    assert made.token not in str(Invitation.objects.filter(pk=made.invitation.pk).values())


def test_an_invitation_ends_after_seven_days(portal: Portal) -> None:
    made = offer(portal)
    later = made.invitation.expires_at
    with time_machine.travel(later - timedelta(seconds=1), tick=False):
        assert find_invitation(made.token) == made.invitation
    with time_machine.travel(later, tick=False):
        assert find_invitation(made.token) is None


def test_the_link_of_a_withdrawn_invitation_does_not_work(portal: Portal) -> None:
    made = offer(portal)
    withdraw_invitation(invitation=made.invitation, actor=COMMAND_LINE)
    assert find_invitation(made.token) is None
    assert list_open_invitations(portal.live) == []


def test_a_second_invitation_of_an_address_replaces_the_first(portal: Portal) -> None:
    first, second = offer(portal), offer(portal, "NEW@example.com")
    assert find_invitation(first.token) is None
    assert list_open_invitations(portal.live) == [second.invitation]


def test_a_member_is_not_invited_again(portal: Portal) -> None:
    with pytest.raises(Conflict, match=r"viewer@example\.com is a member already"):
        offer(portal, "Viewer@example.com")


def test_an_unknown_role_is_refused(portal: Portal) -> None:
    with pytest.raises(Refused, match="Unknown role 'king'"):
        offer(portal, role="king")


def test_the_last_owner_can_neither_leave_nor_lose_the_role(portal: Portal) -> None:
    owner = member(portal, "owner")
    for verb in (
        lambda: remove_member(member=owner, actor=COMMAND_LINE),
        lambda: change_role(member=owner, role="viewer", actor=COMMAND_LINE),
    ):
        with pytest.raises(Conflict, match="the only owner"):
            verb()
    assert change_role(member=member(portal, "viewer"), role="owner", actor=COMMAND_LINE)
    remove_member(member=owner, actor=COMMAND_LINE)
    assert portal.live.role_of(portal.users["owner"]) is None


def test_giving_a_member_the_role_they_have_changes_nothing(portal: Portal) -> None:
    assert not change_role(member=member(portal, "viewer"), role="viewer", actor=COMMAND_LINE)
