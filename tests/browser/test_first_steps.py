"""From signing up to the first tested webhook: by mouse, by keyboard alone, without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from subscriptions.models import Broadcaster, Endpoint
from tests.browser.browsing import Browsing
from tests.portal_clients import PASSWORD, Portal
from tests.receiver import Receiver, Reply

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("worker")]
PUBLISHER_TOKEN = re.compile(r"whp_\S+")


def sign_up(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill("anna@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()


def create_broadcaster(page: Page, platform: str) -> None:
    page.get_by_label("Name").fill("Anna's channel")
    page.get_by_role("radio", name=platform).check()
    page.get_by_role("button", name="Create broadcaster").click()


def test_from_signing_up_to_a_verified_test_in_the_request_bin(browsing: Browsing) -> None:
    page = browsing.page()
    sign_up(page)
    create_broadcaster(page, "Standard Webhooks")
    expect(page.get_by_role("heading", name="Anna's channel is ready")).to_be_visible()
    tokens = page.locator(".secret code").all_inner_texts()
    assert len(tokens) == 2 and all(PUBLISHER_TOKEN.fullmatch(token) for token in tokens)
    page.reload()
    expect(page.get_by_text("They were shown when the broadcaster was created")).to_be_visible()
    assert not PUBLISHER_TOKEN.search(page.content())

    page.get_by_role("link", name="Add a webhook in the sandbox").click()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Request bin").click()
    page.get_by_role("button", name="Add it as a webhook").click()
    page.get_by_role("button", name="Send a test").click()
    row = page.get_by_role("row", name="Verified")
    expect(row).to_contain_text("200")
    row.get_by_role("link").click()
    expect(page.get_by_text("fits id, timestamp and raw body")).to_be_visible()

    page.get_by_role("link", name="Overview").click()
    done = page.locator(".first-run .done")
    expect(done).to_contain_text(["Add a webhook", "Receive a test", "See a verified signature"])


def test_a_test_shows_what_the_receiver_answered_beside_the_button(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-list"))
    page.get_by_role("main").get_by_role("link", name="Add webhook").first.click()
    page.get_by_label("Name").fill("CRM")
    page.get_by_label("URL").fill(receiver.on("/in", Reply(401, "Unauthorized", body=b"who?")))
    page.get_by_role("radio", name="All topics").check()
    page.get_by_role("button", name="Save webhook").click()
    expect(page.get_by_role("heading", name="CRM", exact=True)).to_be_visible()

    page.get_by_role("button", name="Test Webhook").first.click()
    result = page.locator("#test-result")
    expect(result).to_contain_text("401")
    expect(result).to_contain_text("Who must act")
    expect(result).to_contain_text("Content-Length")
    expect(result).to_contain_text("who?")
    assert page.url.endswith("/")  # nobody was led away
    assert len(receiver.requests) == 1

    receiver.on("/in", Reply(200))
    page.get_by_role("button", name="Test Webhook").first.click()
    expect(result).to_contain_text("200 OK")
    expect(result).to_contain_text("Succeeded")


def press(page: Page, name: str, *, within: str = "body") -> None:
    tab_to(page, name, within=within)
    page.keyboard.press("Enter")


def tab_to(page: Page, name: str, *, within: str = "body") -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if (
            page.evaluate(FOCUSED_NAME).startswith(name)
            and page.locator(f"{within} :focus").count()
        ):
            return
    raise AssertionError(f"Tab does not reach {name!r}")


FOCUSED_NAME = """() => {
  const here = document.activeElement;
  const label = here.labels?.length ? here.labels[0].innerText : "";
  return (here.getAttribute("aria-label") || label || here.innerText || "").trim();
}"""


def test_with_the_keyboard_alone_a_webhook_is_added_tested_mended_and_sent_to_again(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    receiver.on("/in", Reply(301, "Moved", (("Location", "/in/"),)))
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-list"))
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED_NAME) == "Skip to the content"
    page.keyboard.press("Enter")
    press(page, "Add webhook")
    page.wait_for_url("**/webhooks/new/")
    tab_to(page, "Name")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type(receiver.url("/in"))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # from "Chosen topics" to "All topics"
    expect(page.get_by_role("radio", name="All topics")).to_be_checked()
    press(page, "Save webhook")
    expect(page.get_by_role("heading", name="By keyboard", exact=True)).to_be_visible()

    press(page, "Test Webhook")
    expect(page.locator("#test-result")).to_contain_text("Add the slash")

    press(page, "Settings", within="main")
    page.wait_for_url("**/edit/")
    tab_to(page, "URL")
    page.keyboard.press("End")
    page.keyboard.type("/")
    press(page, "Save")
    page.wait_for_url(re.compile(r"/webhooks/ep_\w+/$"))
    assert Endpoint.objects.get().url == receiver.url("/in/")

    press(page, "Event logs")
    expect(page.get_by_role("row", name="By keyboard")).to_contain_text("Failed")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".explanation")).to_contain_text("Add the slash")
    press(page, "Resend")
    expect(page.get_by_text("Delivered", exact=True)).to_be_visible()
    assert [request.path for request in receiver.requests] == ["/in", "/in/"]


def test_the_main_path_needs_no_javascript(browsing: Browsing, receiver: Receiver) -> None:
    page = browsing.page(java_script_enabled=False)
    sign_up(page)
    create_broadcaster(page, "Cleeng")
    page.get_by_role("link", name="Add a webhook in the sandbox").click()
    page.get_by_label("Name").fill("CRM")
    page.get_by_label("URL").fill(receiver.on("/in", [Reply(500), Reply(200)]))
    page.get_by_role("button", name="Win-back campaigns").click()
    expect(page.locator('input[name="topics"]:checked')).to_have_count(4)
    page.get_by_role("button", name="Save webhook").click()
    assert Endpoint.objects.get().topics.count() == 4

    page.get_by_role("button", name="Test Webhook").first.click()
    expect(page.get_by_text("to CRM")).to_be_visible()
    receiver.wait_for(1)
    page.reload()
    while page.get_by_text("in flight").count():  # the answer is there, its log in a moment
        page.reload()
    expect(page.locator(".explanation")).to_contain_text("500")
    page.get_by_role("button", name="Resend").click()
    receiver.wait_for(2)
    page.get_by_role("link", name="Event logs").first.click()
    expect(page.get_by_role("row", name="CRM")).to_contain_text("HTTP 200")

    page.get_by_role("link", name="CRM").click()
    page.get_by_role("switch").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("nothing is sent to it")).to_be_visible()
    page.get_by_role("link", name="Live", exact=True).click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    page.locator("summary.chooser").last.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert Broadcaster.objects.count() == 2
