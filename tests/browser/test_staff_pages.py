"""The staff pages in Chromium, under the strict content security policy."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from deliveries.publishing import publish
from subscriptions.models import User
from tests.browser.browsing import Browsing
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = [pytest.mark.browser, pytest.mark.one_database]
CUT_OFF = """() => [...document.querySelectorAll("#changelist .results")]
    .some((list) => list.scrollWidth > list.clientWidth)"""


def test_staff_pages_work_without_breaking_the_policy(browsing: Browsing) -> None:
    User.objects.create_superuser("root@example.com", "correct horse")
    broadcaster = broadcaster_on("clawget").broadcaster
    endpoint_at("https://example.com/hook", broadcaster)
    publish(broadcaster=broadcaster, topic="review.created", data={})

    page = browsing.page()
    page.goto(reverse("admin:index"))
    page.get_by_label("Email").fill("root@example.com")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector("#user-tools")
    for model, _ in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        page.goto(reverse(f"admin:{name}_changelist"))
        assert not page.evaluate(CUT_OFF), f"the list of {name} is cut off at 1280 px"
        first = page.query_selector("#result_list th a")
        if first:
            page.goto(str(first.get_attribute("href")))
    for name in ("platform", "topic", "usecase", "user"):
        page.goto(reverse(f"admin:subscriptions_{name}_add"))

    page.goto(reverse("admin:deliveries_delivery_changelist"))
    page.click("#action-toggle")
    assert "1 of 1 selected" in page.inner_text(".action-counter")
    page.select_option("select[name=action]", "cancel")
    page.click("button[name=index]")
    assert page.inner_text(".messagelist") == "1 stopped."

    page.goto(reverse("admin:subscriptions_broadcaster_add"))
    page.fill("#id_name", "New one")
    page.select_option("#id_platform", "standard")
    page.click("input[name=_save]")
    assert page.inner_text("#content-main").count("whp_") == 2
