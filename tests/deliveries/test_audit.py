"""Whatever changes something through the portal or the API leaves who, from where, and what."""

from __future__ import annotations

from typing import Any

from django.test import Client

from deliveries.models import Delivery
from deliveries.publishing import publish
from deliveries.test_console.request_bin import open_bin
from subscriptions.models import AuditEntry, Endpoint
from tests.api_clients import Api, account
from tests.deliveries.views.pages import set_state, url
from tests.portal_clients import PASSWORD, Portal

FORM = {
    "name": "Mails",
    "url": "https://example.com/in",
    "which": "chosen",
    "topics": ["license.created"],
    "active": "on",
}


def logged(portal: Portal) -> list[str]:
    """The actions so far but those of accounts, each by the owner from one address."""
    entries = AuditEntry.objects.filter(broadcaster=portal.live).order_by("id")
    ours = entries.exclude(actor=None).exclude(action__startswith="account.")
    assert {(e.actor_label, e.address) for e in ours} <= {("owner@example.com", "192.0.2.7")}
    return [entry.action for entry in ours]


def owner(portal: Portal) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(portal.users["owner"], "allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_all_that_is_done_to_a_webhook_is_recorded(portal: Portal) -> None:
    client = owner(portal)
    client.post(portal.url("endpoint-new"), FORM)
    at = Endpoint.objects.get().public_id

    def post(view: str, **form: Any) -> None:
        assert client.post(portal.url(view, at), form).status_code in (200, 302), view

    post("endpoint-edit", **(FORM | {"name": "Letters"}))
    post("endpoint-rotate-token", overlap="86400")
    post("endpoint-end-previous-token")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    post("endpoint-reveal-token")
    client.post(url(portal, "endpoint-test", at))
    post("endpoint-set-active", active="")
    post("endpoint-set-active", active="1")
    post("endpoint-delete")

    assert logged(portal) == [
        f"endpoint.{verb}"
        for verb in (
            "create",
            "update",
            "rotate_token",
            "end_previous_token",
            "reveal_token",
            "test",
            "deactivate",
            "activate",
            "delete",
        )
    ]
    change = AuditEntry.objects.get(action="endpoint.update")
    assert (change.before, change.after) == ({"name": "Mails"}, {"name": "Letters"})


def test_all_that_is_done_to_a_delivery_is_recorded(portal: Portal) -> None:
    portal.add_endpoint()
    event = publish(broadcaster=portal.live, topic="license.created", data={}).event
    delivery = Delivery.objects.get(event=event)
    client = owner(portal)
    client.post(url(portal, "delivery-cancel", delivery.public_id))
    client.post(url(portal, "delivery-resend", delivery.public_id))
    later = delivery.created_at.replace(year=delivery.created_at.year + 1)
    set_state(delivery, status="pending", trigger="retry", lease_id=None, next_attempt_at=later)
    client.post(url(portal, "delivery-retry-now", delivery.public_id))
    client.get(url(portal, "delivery-export"))
    assert logged(portal) == [
        f"delivery.{verb}" for verb in ("cancel", "resend", "retry_now", "export")
    ]


def test_all_that_is_done_to_people_and_tokens_is_recorded(portal: Portal) -> None:
    client = owner(portal)
    client.post(portal.url("member-invite"), {"email": "new@example.com", "role": "viewer"})
    invitation = portal.live.invitations.get()
    client.post(portal.url("member-withdraw-invitation", invitation.pk))
    member = portal.live.members.get(user=portal.users["viewer"])
    client.post(portal.url("member-set-role", member.pk), {"role": "developer"})
    client.post(portal.url("member-remove", member.pk))
    client.post(portal.url("publisher-token-new"), {"name": "CI", "scopes": ["events:read"]})
    token = portal.live.publisher_tokens.get(name="CI")
    client.post(portal.url("publisher-token-revoke", token.public_id))
    assert logged(portal) == [
        "member.invite",
        "member.withdraw_invitation",
        "member.change_role",
        "member.remove",
        "token.create",
        "token.revoke",
    ]
    change = AuditEntry.objects.get(action="member.change_role")
    assert (change.before, change.after) == ({"role": "viewer"}, {"role": "developer"})


def test_what_is_done_to_the_request_bin_is_recorded(portal: Portal) -> None:
    client = owner(portal)
    found = open_bin(portal.live)
    Client().post(f"/bin/{found.public_id}/", b"{}", "application/json")
    client.post(
        url(portal, "request-bin-set-answer"), {"answer_status": "500", "answer_delay": "0"}
    )
    client.post(url(portal, "request-bin-empty"))
    client.post(url(portal, "request-bin-empty"))
    assert logged(portal) == ["request_bin.set_answer", "request_bin.empty"]


def test_what_a_publisher_token_does_is_recorded_under_its_name(db: None) -> None:
    made = account("clawget")
    api = Api(made.token)
    endpoint = api.post("endpoints", {"url": "https://example.com/", "topics": ["*"]}).json()
    api.post(f"endpoints/{endpoint['id']}/rotate-token")
    api.delete(f"endpoints/{endpoint['id']}")
    entries = AuditEntry.objects.filter(action__startswith="endpoint.").order_by("id")
    assert [e.action.removeprefix("endpoint.") for e in entries] == [
        "create",
        "rotate_token",
        "delete",
    ]
    assert {(e.actor_label, e.address) for e in entries} == {
        (f"token First token (…{made.token[-4:]})", "127.0.0.1")
    }
    assert made.token not in str(list(entries.values()))
