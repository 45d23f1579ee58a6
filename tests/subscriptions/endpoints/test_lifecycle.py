"""Changing an endpoint while something else happens to it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from subscriptions.accounts import create_broadcaster
from subscriptions.audit import COMMAND_LINE, SYSTEM
from subscriptions.endpoints.lifecycle import (
    EndpointSettings,
    create_endpoint,
    current_settings,
    delete_endpoint,
    suspend,
    update_endpoint,
)
from subscriptions.endpoints.tokens import rotate_token, token_pair
from subscriptions.models import Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> Endpoint:
    broadcaster = create_broadcaster(name="Acme", platform="cryptlex").broadcaster
    wanted = EndpointSettings(name="Receiver", url="https://example.com/", topics=["*"])
    return create_endpoint(broadcaster=broadcaster, wanted=wanted, actor=COMMAND_LINE).endpoint


def rename(endpoint: Endpoint) -> None:
    """As it was read before."""
    wanted = current_settings(endpoint, name="Renamed")
    update_endpoint(endpoint=endpoint, wanted=wanted, actor=COMMAND_LINE)


def test_saved_settings_do_not_bring_an_old_token_back(endpoint: Endpoint) -> None:
    read_before = Endpoint.objects.get(pk=endpoint.pk)
    rotated = rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    rename(read_before)
    endpoint.refresh_from_db()
    pair = token_pair(endpoint, timezone.now())
    assert endpoint.name == "Renamed"
    assert pair is not None and pair.current == rotated.token and pair.previous


def test_saved_settings_do_not_lift_a_suspension(endpoint: Endpoint) -> None:
    read_before = Endpoint.objects.get(pk=endpoint.pk)
    suspend(endpoint=endpoint, reason="it answered 410 Gone.", actor=SYSTEM)
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
