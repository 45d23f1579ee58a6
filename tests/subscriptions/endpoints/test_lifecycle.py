"""Changing an endpoint while something else happens to it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from subscriptions.accounts import create_broadcaster
from subscriptions.audit import COMMAND_LINE, SYSTEM
from subscriptions.endpoints.lifecycle import create_endpoint, delete_endpoint, update_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.endpoints.signing_tokens import decrypt_tokens, rotate_token
from subscriptions.endpoints.status import suspend_endpoint
from subscriptions.models import Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> Endpoint:
    broadcaster = create_broadcaster(name="Acme", platform="cryptlex").broadcaster
    settings = EndpointSettings(name="Receiver", url="https://example.com/", topics=["*"])
    return create_endpoint(broadcaster=broadcaster, settings=settings, actor=COMMAND_LINE).endpoint


def rename(endpoint: Endpoint) -> None:
    """As it was read before."""
    settings = EndpointSettings.from_endpoint(endpoint, name="Renamed")
    update_endpoint(endpoint=endpoint, settings=settings, actor=COMMAND_LINE)


def test_saved_settings_do_not_bring_an_old_token_back(endpoint: Endpoint) -> None:
    read_before = Endpoint.objects.get(pk=endpoint.pk)
    rotated = rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    rename(read_before)
    endpoint.refresh_from_db()
    pair = decrypt_tokens(endpoint, timezone.now())
    assert endpoint.name == "Renamed"
    assert pair is not None and pair.current == rotated.token and pair.previous


def test_saved_settings_do_not_lift_a_suspension(endpoint: Endpoint) -> None:
    read_before = Endpoint.objects.get(pk=endpoint.pk)
    suspend_endpoint(endpoint=endpoint, reason="it answered 410 Gone.", actor=SYSTEM)
    rename(read_before)
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.name) == ("suspended", "Renamed")


def test_saved_settings_do_not_bring_a_deleted_endpoint_back(endpoint: Endpoint) -> None:
    read_before = Endpoint.objects.get(pk=endpoint.pk)
    delete_endpoint(endpoint=endpoint, actor=COMMAND_LINE)
    rename(read_before)
    endpoint.refresh_from_db()
    assert endpoint.deleted_at is not None
    assert (endpoint.active, endpoint.token_ciphertext) == (False, "")
