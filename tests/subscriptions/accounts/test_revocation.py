"""What is taken from someone is gone with the next request; what is offered once is taken once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from subscriptions.accounts import NewToken, create_token, revoke_token
from subscriptions.accounts.members import accept_invitation, change_role, invite, remove_member
from subscriptions.audit import COMMAND_LINE
from subscriptions.errors import PortalError
from subscriptions.models import Member, User
from subscriptions.models.broadcaster import Role
from tests.api_clients import Api
from tests.concurrency import run_concurrently
from tests.portal_clients import PASSWORD, Portal, make_portal


def test_a_removed_member_has_no_access_from_the_next_request_on(portal: Portal) -> None:
    client = portal.client("developer")
    assert client.get(portal.url("endpoint-list")).status_code == 200
    remove_member(
        member=portal.live.members.get(user=portal.users["developer"]), actor=COMMAND_LINE
    )
    for broadcaster in (portal.live, portal.sandbox):
        assert client.get(portal.url("endpoint-list", broadcaster=broadcaster)).status_code == 404


def test_a_lower_role_applies_from_the_next_request_on(portal: Portal) -> None:
    client = portal.client("developer")
    assert client.get(portal.url("endpoint-new")).status_code == 200
    member = portal.live.members.get(user=portal.users["developer"])
    change_role(member=member, role="viewer", actor=COMMAND_LINE)
    assert client.get(portal.url("endpoint-new")).status_code == 403
    assert client.post(portal.url("endpoint-new"), {"name": "x"}).status_code == 403


def test_a_deactivated_user_is_signed_out_and_stays_out(portal: Portal) -> None:
    client = portal.client("owner")
    User.objects.filter(email="owner@example.com").update(is_active=False)
    assert client.get(portal.url("endpoint-list")).status_code == 302
    fresh = Client()
    fresh.post(reverse("account_login"), {"login": "owner@example.com", "password": PASSWORD})
    assert "_auth_user_id" not in fresh.session


def test_a_new_password_ends_the_other_sessions(portal: Portal) -> None:
    here, elsewhere = portal.client("owner"), portal.client("owner")
    new = "another horse battery 7"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post(reverse("account_change_password"), form).status_code == 302
    assert here.get(portal.url("endpoint-list")).status_code == 200
    assert elsewhere.get(portal.url("endpoint-list")).status_code == 302


def test_a_revoked_or_expired_token_is_refused_from_then_on(portal: Portal) -> None:
    def made(**options: Any) -> NewToken:
        return create_token(
            broadcaster=portal.live,
            name="CI",
            scopes=["endpoints:read"],
            actor=COMMAND_LINE,
            **options,
        )

    revoked = made()
    api = Api(revoked.plaintext)
    assert api.get("endpoints").status_code == 200
    revoke_token(revoked.token, actor=COMMAND_LINE)
    assert api.get("endpoints").status_code == 401
    api = Api(made(expires_at=timezone.now() + timedelta(minutes=1)).plaintext)
    assert api.get("endpoints").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        assert api.get("endpoints").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_an_invitation_accepted_twice_at_the_same_time_is_accepted_once() -> None:
    portal = make_portal()
    offer = invite(
        broadcaster=portal.live, email="new@example.com", role="developer", actor=COMMAND_LINE
    )
    user = User.objects.create_user("new@example.com")
    refused: list[str] = []

    def take() -> None:
        try:
            accept_invitation(token=offer.token, user=user, actor=COMMAND_LINE)
        except PortalError as error:
            refused.append(error.code)

    run_concurrently(2, take)
    assert len(refused) == 1
    assert refused[0] in ("invitation_gone", "already_a_member")
    assert Member.objects.filter(user=user, role=Role.DEVELOPER).count() == 1
