"""What a viewer prefers: the theme, and times in the zone of their browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import Browsing
from tests.portal_clients import Portal

pytestmark = [pytest.mark.browser, pytest.mark.one_database]
GROUND = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(13, 18, 26)", "rgb(246, 247, 249)"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_chosen_theme_overrides_the_system_on_every_page(
    browsing: Browsing, portal: Portal, scripts: bool
) -> None:
    page = browsing.page_of(portal, "viewer", color_scheme="light", java_script_enabled=scripts)
    page.goto(f"/b/{portal.live.pk}/topics/")
    assert page.evaluate(GROUND) == LIGHT
    page.locator("header summary", has_text="Your account").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page).to_have_url(re.compile(r"/topics/$"))
    assert page.evaluate(GROUND) == DARK
    page.goto(f"/b/{portal.live.pk}/webhooks/")
    assert page.evaluate(GROUND) == DARK
    page.locator("header summary", has_text="Your account").click()
    page.get_by_role("button", name="System", exact=True).click()
    assert page.evaluate(GROUND) == LIGHT
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(GROUND) == DARK


def test_times_and_days_are_in_the_zone_of_the_browser(browsing: Browsing, portal: Portal) -> None:
    page = browsing.page_of(portal, "viewer", timezone_id="Pacific/Auckland")
    page.goto(f"/b/{portal.live.pk}/team/")
    by_script = page.locator("main .t-abs").all_inner_texts()
    answer = page.goto(f"/b/{portal.live.pk}/team/")
    assert answer is not None
    # The server says it in the same words, once the browser has told it its zone.
    assert by_script
    assert all(f">{words}<" in answer.text() for words in by_script)
    page.goto(f"/b/{portal.live.pk}/deliveries/")
    page.get_by_text("More filters").click()
    expect(page.get_by_text("A day in Pacific/Auckland.").first).to_be_visible()
