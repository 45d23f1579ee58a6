"""Signing tokens and publisher tokens in the portal."""

import re
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet
from django.core import mail
from django.utils import timezone

from subscriptions.accounts import authenticate
from subscriptions.endpoints.signing_tokens import decrypt_tokens
from subscriptions.models import AuditEntry, PublisherToken
from tests.portal_clients import PASSWORD, Portal, make_portal


def test_a_token_is_rotated_with_an_overlap_and_both_are_shown_by_their_last_four(
    portal: Portal,
) -> None:
    endpoint = portal.add_endpoint()
    old = endpoint.token_hint
    client = portal.client("developer")
    client.post(portal.url("endpoint-rotate-token", endpoint.public_id), {"overlap": "86400"})
    endpoint.refresh_from_db()
    html = client.get(portal.url("endpoint-token", endpoint.public_id)).content.decode()
    assert endpoint.token_hint != old
    assert f"…{endpoint.token_hint}" in html
    assert f"…{old}" in html
    # One header, one signature: the page says which token signs until when.
    assert "Signs when the old one ends" in html
    assert "in 23 hours" in html
    pair = decrypt_tokens(endpoint, timezone.now())
    assert pair is not None
    assert pair.current in html
    assert pair.previous is not None
    assert pair.previous not in html


def test_a_leaked_token_ends_at_once(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    url = portal.url("endpoint-rotate-token", endpoint.public_id)
    portal.client("developer").post(url, {"overlap": "0", "token": "the new token"})
    endpoint.refresh_from_db()
    assert not endpoint.has_previous_token(timezone.now())
    pair = decrypt_tokens(endpoint, timezone.now())
    assert pair is not None
    assert pair.current == "the new token"


def test_an_overlap_that_is_not_offered_is_refused(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    url = portal.url("endpoint-rotate-token", endpoint.public_id)
    assert portal.client("developer").post(url, {"overlap": "5"}).status_code == 422


def test_the_old_token_is_ended_early_once(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("developer")
    client.post(portal.url("endpoint-rotate-token", endpoint.public_id), {"overlap": "3600"})
    url = portal.url("endpoint-end-previous-token", endpoint.public_id)
    assert "will refuse what it gets" in client.get(url).content.decode()
    assert "only the new one signs" in client.post(url, follow=True).content.decode()
    assert "has no previous token" in client.post(url, follow=True).content.decode()


def test_an_unsigned_webhook_has_no_token_to_rotate(db: None) -> None:
    portal = make_portal("cleeng")
    endpoint = portal.add_endpoint()
    response = portal.client("owner").get(
        portal.url("endpoint-rotate-token", endpoint.public_id), follow=True
    )
    assert "is not signed" in response.content.decode()


def test_revealing_a_token_asks_for_the_password_and_is_recorded(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    pair = decrypt_tokens(endpoint, timezone.now())
    assert pair is not None
    client = portal.client("developer")
    url = portal.url("endpoint-reveal-token", endpoint.public_id)
    asked = client.post(url)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    wrong = client.post(asked["Location"], {"password": "wrong"})
    assert pair.current not in wrong.content.decode()
    assert not AuditEntry.objects.filter(action="endpoint.reveal_token").exists()
    right = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert pair.current in right.content.decode()
    assert right["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get(action="endpoint.reveal_token")
    assert entry.actor == portal.users["developer"]


def test_a_publisher_token_is_shown_once_and_works(portal: Portal) -> None:
    client = portal.client("developer")
    day = timezone.now().date() + timedelta(days=30)
    response = client.post(
        portal.url("publisher-token-new"),
        {"name": "Billing", "scopes": ["events:write"], "expires_on": day.isoformat()},
    )
    url = portal.url("publisher-token-list")
    assert response["Location"] == url
    first, second = client.get(url), client.get(url)
    shown = re.search(r"whp_\w{46}", first.content.decode())
    assert shown is not None
    assert shown[0] not in second.content.decode()
    assert first["Cache-Control"] == "no-store"
    token = authenticate(shown[0], address="192.0.2.1")
    assert token is not None
    assert token.scopes == ["events:write"]
    assert token.expires_at is not None
    # Good through its last day.
    assert token.expires_at.date() == day + timedelta(days=1)
    assert "192.0.2.1" in client.get(url).content.decode()


def test_a_publisher_token_needs_a_name_a_scope_and_a_day_to_come(portal: Portal) -> None:
    client = portal.client("developer")
    url = portal.url("publisher-token-new")
    assert "Name is missing." in client.post(url, {}).content.decode()
    past = client.post(url, {"name": "N", "scopes": ["events:read"], "expires_on": "2020-01-01"})
    assert past.status_code == 422
    assert "is in the past" in past.content.decode()


def test_a_revoked_publisher_token_opens_nothing(portal: Portal) -> None:
    token = portal.live.publisher_tokens.get()
    client = portal.client("developer")
    url = portal.url("publisher-token-revoke", token.public_id)
    assert "is refused from its next request on" in client.get(url).content.decode()
    response = client.post(url, follow=True)
    assert "is revoked" in response.content.decode()
    assert PublisherToken.objects.get(pk=token.pk).revoked_at is not None
    assert "No token works" in response.content.decode()
    assert not mail.outbox


def test_a_secret_that_no_key_decrypts_any_more_is_missing_without_an_error(
    portal: Portal, settings: Any
) -> None:
    client = portal.client("developer")
    url = portal.url("publisher-token-list")
    client.post(portal.url("publisher-token-new"), {"name": "N", "scopes": ["events:read"]})
    settings.WEBHOOKS_SECRET_KEYS = [Fernet.generate_key().decode()]
    page = client.get(url)
    assert page.status_code == 200
    assert not re.search(r"whp_\w{46}", page.content.decode())


def test_a_token_that_no_key_decrypts_is_refused_and_not_recorded_as_revealed(
    portal: Portal, settings: Any
) -> None:
    endpoint = portal.add_endpoint()
    settings.WEBHOOKS_SECRET_KEYS = [Fernet.generate_key().decode()]
    client = portal.client("developer")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    url = portal.url("endpoint-reveal-token", endpoint.public_id)
    page = client.post(url, follow=True).content.decode()
    assert "ask your operator to restore them, or rotate the token" in page
    assert not AuditEntry.objects.filter(action="endpoint.reveal_token").exists()
