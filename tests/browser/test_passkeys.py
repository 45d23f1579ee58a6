"""Passkeys, with a device that Chromium plays: added, signed in with, renamed, removed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.browsing import Browsing
from tests.portal_clients import PASSWORD, Portal

pytestmark = [pytest.mark.browser, pytest.mark.one_database]


def plug_in_device(page: Page, **options: Any) -> None:
    """One that keeps passkeys and whose owner always consents."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device | options})


def confirm_password(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def add_passkey(page: Page, portal: Portal) -> None:
    page.goto(portal.url("account"))
    page.get_by_role("link", name="Add a passkey").click()
    confirm_password(page)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()


def sign_out(page: Page, portal: Portal) -> None:
    page.goto(portal.url("account"))
    page.locator("summary.chooser").last.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_signs_in_without_a_password_and_leads_to_the_page_that_was_asked_for(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "owner")
    plug_in_device(page)
    add_passkey(page, portal)
    assert page.url.endswith(reverse("mfa_view_recovery_codes")), "the way back in without it"
    sign_out(page, portal)

    wanted = portal.url("topic-list")
    page.goto(wanted)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{browsing.server}{wanted}")

    page.goto(portal.url("account"))
    page.get_by_role("link", name="Rename Passkey 1").click()
    if page.get_by_role("button", name="Go on").count():
        confirm_password(page)
    page.get_by_label("Name").fill("Phone")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**{portal.url('account')}")
    expect(page.get_by_text("signs in alone")).to_be_visible()
    page.get_by_role("link", name="Remove Phone").click()
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url(f"**{portal.url('account')}")
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_a_passkey_is_asked_for_after_the_password(browsing: Browsing, portal: Portal) -> None:
    page = browsing.page_of(portal, "owner")
    plug_in_device(page)
    add_passkey(page, portal)
    sign_out(page, portal)
    page.get_by_label("Email").fill("owner@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"/b/\d+/"))


def test_a_second_passkey_of_one_device_is_refused_with_a_reason(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "owner")
    plug_in_device(page)
    add_passkey(page, portal)
    page.goto(reverse("mfa_add_webauthn"))
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("holds a passkey of your account already")
    assert page.url.endswith(reverse("mfa_add_webauthn"))
