"""Event logs and deliveries: what went wrong is found, explained, mended and sent again."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from deliveries.models import Attempt, Delivery
from deliveries.publishing import publish
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import rotate_token
from subscriptions.paging import keyset
from tests.browser.browsing import Browsing
from tests.portal_clients import Portal
from tests.receiver import Receiver, Reply

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("worker")]


def hold_retries() -> None:
    """Keep planned retries away: Cleeng's first comes after 5 s, in the middle of a slow test."""
    end = time.monotonic() + 10
    while Attempt.objects.filter(outcome="failed").count() == 0:
        assert time.monotonic() < end, "the failure was not logged"
        time.sleep(0.05)
    later = timezone.now() + timedelta(hours=1)
    Delivery.objects.filter(status="pending").update(next_attempt_at=later)


def test_a_failure_is_found_explained_and_sent_again(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    portal.add_endpoint(name="Good", url=receiver.url("/good"))
    portal.add_endpoint(name="Bad", url=receiver.on("/bad", Reply(503, "Service Unavailable")))
    publish(broadcaster=portal.live, topic="passCreated", data={"passId": "p-1"})
    receiver.wait_for(2)
    hold_retries()
    page = browsing.page_of(portal, "developer")
    page.goto(f"/b/{portal.live.pk}/deliveries/")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Status").select_option("pending")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("status=pending"))
    expect(page.get_by_role("row", name="Bad")).to_contain_text("HTTP 503")
    chips = page.get_by_role("group", name="Filters that are set")
    chips.get_by_role("link", name="Status").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Search").fill("p-2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No deliveries match")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Clear filters").first.click()

    page.get_by_role("row", name="Bad").get_by_role("link", name="passCreated").click()
    expect(page.locator(".explanation")).to_contain_text("503")
    expect(page.locator(".explanation")).to_contain_text("Who must act")
    ladder = page.get_by_role("list", name="What was done and what is planned")
    expect(ladder.locator(".failed")).to_have_count(1)
    expect(ladder.locator("li").nth(1)).to_contain_text("planned")
    page.get_by_role("button", name="Copy as curl").wait_for()

    receiver.on("/bad", Reply(200))
    page.get_by_role("button", name="Resend").click()
    expect(ladder.locator(".succeeded")).to_have_count(1)  # without a reload
    expect(page.get_by_text("Delivered", exact=True)).to_be_visible()
    assert Delivery.objects.filter(status="delivered").count() == 2


def test_new_deliveries_appear_by_themselves_until_the_log_is_paused(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    portal.add_endpoint(url=receiver.url())
    page = browsing.page_of(portal, "viewer")
    page.goto(f"/b/{portal.live.pk}/deliveries/")
    expect(page.get_by_text("No deliveries yet")).to_be_visible()
    publish(broadcaster=portal.live, topic="passCreated", data={})
    expect(page.get_by_role("row", name="passCreated")).to_contain_text("Delivered")
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    publish(broadcaster=portal.live, topic="passTerminated", data={})
    receiver.wait_for(2)
    page.wait_for_timeout(2500)
    expect(page.get_by_role("row", name="passTerminated")).to_have_count(0)
    page.get_by_role("link", name="Go on live").click()
    expect(page.get_by_role("row", name="passTerminated")).to_be_visible()


def test_rows_are_walked_opened_and_resent_by_single_keys(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    portal.add_endpoint(url=receiver.url())
    for topic in ("passCreated", "passTerminated"):
        publish(broadcaster=portal.live, topic=topic, data={})
    page = browsing.page_of(portal, "developer")
    page.goto(f"/b/{portal.live.pk}/deliveries/")
    expect(page.locator("tbody").get_by_text("Delivered", exact=True)).to_have_count(2)
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="passTerminated")).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="passCreated")).to_be_focused()
    page.keyboard.press("r")
    assert b"passCreated" in receiver.wait_for(3)[2].body
    expect(page.locator("#messages")).to_contain_text("Queued")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("j")  # typed, not a key of the list
    expect(page.get_by_label("Search")).to_have_value("j")


def test_a_planned_retry_is_stopped_after_a_question(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    portal.add_endpoint(url=receiver.on("/", Reply(500)))
    publish(broadcaster=portal.live, topic="passCreated", data={})
    receiver.wait_for(1)
    page = browsing.page_of(portal, "developer")
    page.goto(f"/b/{portal.live.pk}/deliveries/")
    page.get_by_role("link", name="passCreated").click()
    page.get_by_role("link", name="Stop retrying").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop retrying").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_role("button", name="Resend")).to_be_visible()


def test_the_test_console_checks_the_data_and_shows_the_result(
    browsing: Browsing, portal: Portal, receiver: Receiver
) -> None:
    portal.add_endpoint(name="CRM", url=receiver.url("/in"))
    page = browsing.page_of(portal, "developer")
    page.goto(f"/b/{portal.live.pk}/test-console/")
    page.get_by_label("Topic").select_option("passCreated")
    expect(page).to_have_url(re.compile("topic=passCreated"))
    data = page.get_by_label("Data")
    data.fill('{"passId": ')
    expect(page.locator("#sample-check")).to_contain_text("JSON")
    data.fill('{"passId": "from the console"}')
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#test-result")).to_contain_text("200 OK")
    assert b"from the console" in receiver.requests[0].body


def test_the_request_bin_responds_as_it_was_set(browsing: Browsing, portal: Portal) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(f"/b/{portal.sandbox.pk}/request-bin/")
    page.get_by_role("button", name="Add it as a webhook").click()
    page.get_by_label("Answer with").select_option("410")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("row", name="410")).to_be_visible()
    page.get_by_role("button", name="Empty the bin").click()
    expect(page.get_by_text("Nothing has come in yet")).to_be_visible()


@pytest.mark.one_database
def test_a_search_that_was_continued_once_continues_by_itself_to_a_match(
    browsing: Browsing, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_SEARCHED_ROWS", 2)
    for key in ("needle", *"abcdefgh"):
        publish(broadcaster=portal.live, topic="passCreated", data={"passId": key})
    page = browsing.page_of(portal, "viewer")
    page.goto(f"/b/{portal.live.pk}/events/?q=needle")
    page.get_by_role("link", name="Look further back").click()
    expect(page.locator("#events tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("cursor="))
    page.reload()
    expect(page.locator("#events tbody tr")).to_have_count(1)


@pytest.mark.one_database
def test_a_live_tail_that_fails_says_so_until_it_goes_on(
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
    # htmx logs in the console what the test made fail.
    browsing.complaints[:] = [c for c in browsing.complaints if "Error Code 404" not in c]


@pytest.mark.one_database
def test_a_rehearsal_and_a_fault_pack_show_their_results_inline(
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
