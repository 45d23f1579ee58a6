"""The screens of webhooks, topics and tokens, as their JavaScript makes them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from subscriptions.accounts import authenticate
from subscriptions.models import Endpoint
from tests.browser.browsing import Browsing
from tests.portal_clients import PASSWORD, Portal

pytestmark = [pytest.mark.browser, pytest.mark.one_database]


def chosen(page: Page) -> int:
    return page.locator('[data-topic-picker] input[name="topics"]:checked').count()


def is_mixed(box: Locator) -> bool:
    return bool(box.evaluate("box => box.indeterminate"))


def test_cleengs_use_cases_choose_twelve_eight_four_and_six_topics(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-new"))
    for name, count in {
        "Custom Notifications": 12,
        "Caching of entitlements": 8,
        "Win-back campaigns": 4,
        "Payment handling": 6,
    }.items():
        preset = page.get_by_role("button", name=name)
        preset.click()
        assert chosen(page) == count
        expect(preset).to_have_attribute("aria-pressed", "true")
    assert page.locator('main [aria-pressed="true"]').count() == 1


def test_a_group_is_checked_half_checked_or_unchecked(browsing: Browsing, portal: Portal) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-new"))
    group = page.get_by_role("group", name="Pass topics")
    whole = group.get_by_role("checkbox", name="Pass topics")
    assert not whole.is_checked() and not is_mixed(whole)
    group.get_by_role("checkbox", name="passCreated").check()
    assert is_mixed(whole)
    expect(group.locator("[data-group-count]")).to_have_text("1 of 3")
    whole.check()
    assert chosen(page) == 3 and not is_mixed(whole)
    group.get_by_role("checkbox", name="passCreated").uncheck()
    assert is_mixed(whole)
    whole.check()
    whole.uncheck()
    assert chosen(page) == 0


def test_topics_are_searched_and_what_was_chosen_stays_so(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-new"))
    page.get_by_role("checkbox", name="transactionCreated").check()
    page.get_by_label("Search topics").fill("pass")
    expect(page.get_by_role("checkbox", name="passTerminated")).to_be_visible()
    expect(page.get_by_role("checkbox", name="transactionCreated")).to_be_hidden()
    page.get_by_role("group", name="Pass topics").get_by_role(
        "checkbox", name="Pass topics"
    ).check()
    page.get_by_label("Search topics").fill("nothing is called this")
    expect(page.get_by_text("No topic matches this search.")).to_be_visible()

    page.get_by_label("Search topics").fill("")
    page.get_by_label("Name").fill("Passes")
    page.get_by_label("URL").fill("https://example.com/in")
    page.get_by_role("button", name="Save webhook").click()
    expect(page.get_by_role("heading", name="Passes", exact=True)).to_be_visible()
    topics = Endpoint.objects.get().topics.values_list("name", flat=True)
    assert set(topics) == {
        "transactionCreated",
        "passCreated",
        "passExpirationChanged",
        "passTerminated",
    }


def test_a_refused_form_keeps_what_was_typed_and_says_where(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-new"))
    page.get_by_label("Name").fill("CRM")
    page.get_by_label("URL").fill("http://10.0.0.5/in")
    page.get_by_role("button", name="Payment handling").click()
    page.get_by_role("button", name="Save webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.locator("#id_url_error")).to_contain_text("private")
    expect(page.get_by_label("Name")).to_have_value("CRM")
    assert chosen(page) == 6
    page.get_by_role("button", name="Win-back campaigns").click()  # alive after the swap
    assert chosen(page) == 4


def test_a_url_is_checked_when_its_field_is_left(browsing: Browsing, portal: Portal) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-new"))
    page.get_by_label("URL").fill("http://192.168.1.1/in")
    page.get_by_label("Name").click()
    expect(page.locator("#id_url_error")).to_contain_text("private")


def test_a_webhook_is_switched_off_and_on_in_its_row(browsing: Browsing, portal: Portal) -> None:
    portal.add_endpoint(name="CRM")
    portal.add_endpoint(name="Mails", url="https://example.com/2")
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-list"))
    row = page.get_by_role("row", name="CRM")
    row.get_by_role("switch").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("CRM")
    dialog.get_by_role("link", name="Cancel").click()
    expect(row.get_by_role("switch")).to_be_checked()
    row.get_by_role("switch").click()
    dialog.get_by_role("button", name="Switch off").click()
    expect(row).to_contain_text("Inactive")
    row.get_by_role("switch").click()
    expect(row.get_by_role("switch")).to_be_checked()
    expect(row).to_contain_text("Active")
    assert Endpoint.objects.filter(active=True).count() == 2


def test_several_webhooks_are_chosen_and_deleted_at_once(
    browsing: Browsing, portal: Portal
) -> None:
    for number in range(3):
        portal.add_endpoint(name=f"Webhook {number}", url=f"https://example.com/{number}")
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-list"))
    expect(page.locator("#several")).to_be_hidden()
    page.get_by_role("checkbox", name="Choose Webhook 0").check()
    page.get_by_role("checkbox", name="Choose Webhook 2").check()
    expect(page.locator("#several")).to_contain_text("2 selected")
    page.locator("#several").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name="Webhook 0")).to_have_count(0)
    assert [endpoint.name for endpoint in Endpoint.objects.filter(deleted_at=None)] == ["Webhook 1"]


def test_live_and_sandbox_cannot_be_confused(browsing: Browsing, portal: Portal) -> None:
    portal.add_endpoint(name="Only live")
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-list"))
    switch = page.get_by_role("navigation", name="Environment")
    expect(switch.locator("[aria-current]")).to_have_text("Live")
    expect(page.locator("body")).not_to_have_class("is-sandbox")
    switch.get_by_role("link", name="Sandbox").click()
    expect(page).to_have_url(re.compile(rf"/b/{portal.sandbox.pk}/webhooks/$"))
    expect(page.locator("body")).to_have_class("is-sandbox")
    expect(switch.locator("[aria-current]")).to_have_text("Sandbox")
    expect(page.locator(".band")).to_contain_text("apart from the live ones")
    expect(page.get_by_text("Only live")).to_have_count(0)
    switch.get_by_role("link", name="Live").click()
    expect(page.get_by_role("row", name="Only live")).to_be_visible()


def test_rotating_a_token_shows_the_new_one_once(browsing: Browsing, portal: Portal) -> None:
    endpoint = portal.add_endpoint(signature="standard")
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-token", endpoint.public_id))
    page.get_by_role("link", name="Rotate").click()
    page.get_by_role("button", name="Rotate token").click()
    shown = page.locator(".new-secret .secret code").inner_text()
    assert shown.startswith("whsec_")
    assert page.locator("#code-python").inner_text().count(shown) == 1
    endpoint.refresh_from_db()
    assert endpoint.token_hint == shown[-4:]
    page.reload()
    expect(page.get_by_role("heading", name="Tokens")).to_be_visible()
    assert shown not in page.content()


def test_a_token_is_revealed_after_the_password_only(browsing: Browsing, portal: Portal) -> None:
    endpoint = portal.add_endpoint(signature="standard")
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("endpoint-token", endpoint.public_id))
    page.get_by_role("button", name="Reveal").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".new-secret .secret code")).to_contain_text(endpoint.token_hint)


def test_the_verifying_code_changes_with_the_language(browsing: Browsing, portal: Portal) -> None:
    endpoint = portal.add_endpoint(signature="standard")
    page = browsing.page_of(portal, "viewer")
    page.goto(portal.url("endpoint-token", endpoint.public_id))
    expect(page.locator("#code-python")).to_be_visible()
    page.get_by_text("Go", exact=True).click()
    expect(page.locator("#code-go")).to_be_visible()
    expect(page.locator("#code-python")).to_be_hidden()


def test_a_publisher_token_is_made_shown_once_and_revoked(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "owner")
    page.goto(portal.url("publisher-token-list"))
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Name").fill("Shop back end")
    page.get_by_role("button", name="Create token").click()
    token = page.locator(".new-secret .secret code").inner_text()
    made = authenticate(token, address=None)
    assert made is not None and made.name == "Shop back end"
    page.reload()
    assert token not in page.content()
    page.get_by_role("link", name="Revoke Shop back end").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("Ended tokens").click()
    expect(page.get_by_role("row", name="Shop back end")).to_contain_text("Revoked")
    assert authenticate(token, address=None) is None


def test_the_catalogue_is_searched_and_leads_to_a_webhook_for_a_use_case(
    browsing: Browsing, portal: Portal
) -> None:
    page = browsing.page_of(portal, "developer")
    page.goto(portal.url("topic-list"))
    page.get_by_label("Search topics").fill("offerPrice")
    expect(page.locator(".topic-item")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=offerPrice"))
    page.get_by_role("link", name="offerPriceChanged").click()
    expect(page.get_by_role("heading", name="Sample request")).to_be_visible()
    expect(page.locator("#sample-body")).to_contain_text("offerPriceChanged")
    page.go_back()
    page.get_by_label("Search topics").fill("")
    page.goto(portal.url("topic-list"))
    page.get_by_role("link", name="Add webhook for Payment handling").click()
    expect(page.get_by_role("heading", name="Add webhook")).to_be_visible()
    assert chosen(page) == 6


def test_a_viewer_sees_everything_and_can_press_nothing(browsing: Browsing, portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    page = browsing.page_of(portal, "viewer")
    for url in (
        portal.url("endpoint-list"),
        portal.url("endpoint-detail", endpoint.public_id),
        portal.url("endpoint-token", endpoint.public_id),
        portal.url("publisher-token-list"),
        portal.url("member-list"),
        f"/b/{portal.live.pk}/",
        f"/b/{portal.live.pk}/deliveries/",
        f"/b/{portal.live.pk}/events/",
        f"/b/{portal.live.pk}/request-bin/",
    ):
        page.goto(url)
        main = page.get_by_role("main")
        expect(main.get_by_role("heading", level=1)).to_be_visible()
        assert main.locator('form[method="post"]').count() == 0, url
        assert main.get_by_role("switch").count() == 0, url


def test_what_is_copied_is_in_the_clipboard(browsing: Browsing, portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    page = browsing.page_of(portal, "viewer", permissions=["clipboard-read", "clipboard-write"])
    page.goto(portal.url("endpoint-detail", endpoint.public_id))
    page.get_by_role("button", name="Copy the id").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == endpoint.public_id
