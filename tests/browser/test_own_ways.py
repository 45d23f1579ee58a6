"""Theme, zone, a server that stops answering, rehearsal and fault pack, as a person meets them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import rotate_token
from tests.browser.browsing import Browsing
from tests.portal_clients import Portal
from tests.receiver import Receiver, Reply

pytestmark = [pytest.mark.browser, pytest.mark.one_database]
GROUND = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(13, 18, 26)", "rgb(246, 247, 249)"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_theme_outdoes_the_system_on_every_page(
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


def test_a_tail_that_stands_still_says_so_until_it_goes_on(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "viewer")
    page.goto(f"/b/{portal.live.pk}/deliveries/")

    def fail(route: Route) -> None:
        route.fulfill(status=404, body="")

    page.route("**/deliveries/*", fail)
    expect(page.get_by_role("alert")).to_contain_text("may be out of date")
    expect(page.get_by_role("alert").get_by_role("link", name="Try again")).to_be_visible()
    page.unroute("**/deliveries/*")
    expect(page.get_by_role("alert")).to_have_count(0)
    # htmx says in the console what the test made fail.
    browsing.complaints[:] = [c for c in browsing.complaints if "Error Code 404" not in c]


@pytest.mark.usefixtures("worker")
def test_a_rehearsal_and_a_fault_pack_tell_their_results_inline(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    endpoint = portal.add_endpoint(url=receiver.on("/in", Reply()), signature="standard")
    rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    page = browsing.page_of(portal, "developer")
    page.goto(f"/b/{portal.live.pk}/webhooks/{endpoint.public_id}/token/")
    page.get_by_role("button", name="Send one test signed with").click()
    expect(page.locator("#rehearsal-result")).to_contain_text("alone was accepted")
    page.get_by_role("link", name="Test", exact=True).click()
    page.get_by_role("button", name="Send the fault pack").click()
    result = page.locator("#faults-result")
    expect(result).to_contain_text("2 of 4 handled rightly")
    expect(result).to_contain_text("your receiver does not check signatures")
