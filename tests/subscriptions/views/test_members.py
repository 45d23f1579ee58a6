"""Team pages and the way of an invitation."""

import re
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from subscriptions.models import Broadcaster, Invitation, Member, User
from subscriptions.models.broadcaster import Role
from subscriptions.views.members import describe_invitation
from tests.portal_clients import PASSWORD, Portal


def invited(portal: Portal, email: str = "new@example.com", role: str = "developer") -> str:
    """The path of the link, as the owner sees it, once."""
    client = portal.client("owner")
    client.post(portal.url("member-invite"), {"email": email, "role": role})
    html = client.get(portal.url("member-list")).content.decode()
    link = re.search(r"https?://[\w.:-]+(/invitations/[\w-]+/)", html)
    assert link is not None
    assert link[1] not in client.get(portal.url("member-list")).content.decode()
    return link[1]


def test_someone_new_signs_up_through_the_link_and_is_in(
    portal: Portal, settings: Settings
) -> None:
    settings.WEBHOOKS_SIGNUP = "invite"
    path = invited(portal)
    client = Client()
    assert "Closed" in client.get("/accounts/signup/").content.decode()
    page = client.get(path).content.decode()
    assert "Join Acme" in page
    assert "developer" in page
    form = {"email": "new@example.com", "password1": PASSWORD}
    client.post(f"/accounts/signup/?next={path}", form)
    response = client.post(path, follow=True)
    assert "Welcome to Acme." in response.content.decode()
    assert portal.live.role_of(User.objects.get(email="new@example.com")) == "developer"
    assert client.get(path).status_code == 404


def test_sign_up_through_the_link_begins_with_the_address_invited(portal: Portal) -> None:
    client = Client()
    html = client.get(invited(portal, "new+one@example.com")).content.decode()
    link = re.search(r'href="(/accounts/signup/[^"]*)"', html)
    assert link is not None
    form = client.get(link[1].replace("&amp;", "&")).content.decode()
    assert 'value="new+one@example.com"' in form


def test_the_start_page_brings_back_to_an_open_invitation(portal: Portal) -> None:
    path = invited(portal)
    client = Client()
    client.get(path)
    client.post("/accounts/signup/", {"email": "new@example.com", "password1": PASSWORD})
    response = client.get("/")
    assert response["Location"] == path


def test_the_link_is_mailed_and_another_account_is_warned(portal: Portal) -> None:
    path = invited(portal)
    assert mail.outbox[0].to == ["new@example.com"]
    assert path in mail.outbox[0].body
    assert mail.outbox[0].body.startswith("owner@example.com invites you")
    html = portal.client("stranger").get(path).content.decode()
    assert "sent to new@example.com; you are signed in as stranger@example.com" in html


@pytest.mark.parametrize(
    ("name", "inviter"), [("", "ann@example.com"), ("Ann", "Ann (ann@example.com)")]
)
def test_an_invitation_says_who_invites_to_what_in_which_role(name: str, inviter: str) -> None:
    invitation = Invitation(broadcaster=Broadcaster(name="Acme"), role=Role.DEVELOPER)
    said = describe_invitation(invitation, User(name=name, email="ann@example.com"))
    assert said == f"{inviter} invites you to the webhooks of Acme as developer."


@pytest.mark.parametrize("stand_in", ["console", "dummy", "filebased"])
def test_without_a_mail_server_no_mail_is_claimed_and_the_link_is_there(
    portal: Portal, settings: Any, stand_in: str
) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{stand_in}.EmailBackend"
    page = portal.client("owner").post(
        portal.url("member-invite"), {"email": "a@example.com", "role": "viewer"}, follow=True
    )
    html = page.content.decode()
    assert "No mail server is set up here" in html
    assert "handed to the mail server" not in html
    assert "/invitations/" in html


def test_a_mail_that_could_not_be_sent_is_reported(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise SMTPServerDisconnected

    monkeypatch.setattr("subscriptions.views.members.send_mail", refuse)
    response = portal.client("owner").post(
        portal.url("member-invite"), {"email": "a@example.com", "role": "viewer"}, follow=True
    )
    assert "could not be sent: give them the link below yourself" in response.content.decode()


def test_looking_at_a_link_accepts_nothing(portal: Portal) -> None:
    path = invited(portal)
    portal.client("stranger").get(path)
    assert portal.live.role_of(portal.users["stranger"]) is None


def test_a_refused_invitation_says_why(portal: Portal) -> None:
    client, url = portal.client("owner"), portal.url("member-invite")
    member = client.post(url, {"email": "viewer@example.com", "role": "viewer"})
    assert member.status_code == 422
    assert "is a member already" in member.content.decode()
    assert client.post(url, {"email": "nonsense", "role": "viewer"}).status_code == 422


def test_a_withdrawn_link_says_that_it_has_ended(portal: Portal) -> None:
    path = invited(portal)
    invitation = portal.live.invitations.get()
    portal.client("owner").post(portal.url("member-withdraw-invitation", invitation.pk))
    response = Client().get(path)
    assert response.status_code == 404
    assert "This invitation has ended" in response.content.decode()


def test_a_role_is_changed_but_not_the_last_owners(portal: Portal) -> None:
    client = portal.client("owner")
    viewer, owner = (portal.live.members.get(user=portal.users[who]) for who in ("viewer", "owner"))
    url = portal.url("member-set-role", viewer.pk)
    assert (
        "is developer now" in client.post(url, {"role": "developer"}, follow=True).content.decode()
    )
    html = client.post(portal.url("member-set-role", owner.pk), {"role": "viewer"}, follow=True)
    assert "is the only owner" in html.content.decode()


def test_a_member_leaves_and_an_owner_removes(portal: Portal) -> None:
    members = {m.user_id: m.pk for m in Member.objects.filter(broadcaster=portal.live)}
    viewer = members[portal.users["viewer"].pk]
    developer = members[portal.users["developer"].pk]
    leaving = portal.client("viewer")
    assert "Leave Acme?" in leaving.get(portal.url("member-remove", viewer)).content.decode()
    assert leaving.post(portal.url("member-remove", viewer))["Location"] == "/"
    assert leaving.get(portal.url("endpoint-list")).status_code == 404
    portal.client("owner").post(portal.url("member-remove", developer))
    assert portal.live.role_of(portal.users["developer"]) is None


def test_the_team_of_a_sandbox_is_that_of_its_live_twin(portal: Portal) -> None:
    url = portal.url("member-list", broadcaster=portal.sandbox)
    assert "developer@example.com" in portal.client("viewer").get(url).content.decode()
    portal.client("owner").post(
        portal.url("member-invite", broadcaster=portal.sandbox),
        {"email": "new@example.com", "role": "viewer"},
    )
    assert portal.live.invitations.count() == 1
