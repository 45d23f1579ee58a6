"""Places in pages that other apps fill, and that the app below names none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import RequestFactory

from subscriptions.portal import PortalRequest
from subscriptions.portal.page_parts import PageLink, PageSlot, Part

REQUEST = cast(PortalRequest, RequestFactory().get("/"))
# URL names, template tags and templates of the app above.
NAMES_OF_DELIVERIES = re.compile(
    r"""deliveries:[a-z]|\{% load [^%]*\bdeliveries\b|["']deliveries/"""
)


def test_parts_come_in_the_order_of_their_registration_and_none_draws_nothing() -> None:
    slot = PageSlot[int]()
    assert slot.collect(REQUEST, 7) == []
    slot.register(lambda request, number: Part(f"first-{number}.html"))
    slot.register(lambda request, number: None)
    slot.register(lambda request, number: Part("last.html", {"number": number}))
    assert [part.template for part in slot.collect(REQUEST, 7)] == ["first-7.html", "last.html"]


def test_a_link_takes_the_first_url_that_is_given() -> None:
    link = PageLink[str]()
    assert link.url("x") == ""
    link.register(lambda subject: "")
    link.register(lambda subject: f"/{subject}/")
    link.register(lambda subject: "/other/")
    assert link.url("x") == "/x/"


def test_a_part_has_the_context_of_the_page_and_its_own() -> None:
    part = Part("_empty.html", {"title": "From the part <b>"})
    template = Template("{% load portal %}{% page_parts parts %}|{{ title }}")
    html = template.render(Context({"parts": [part], "text": "from the page", "title": "Page"}))
    assert "From the part &lt;b&gt;" in html
    assert "<p>from the page</p>" in html
    assert html.endswith("|Page")


def test_a_page_without_parts_draws_nothing() -> None:
    template = Template("{% load portal %}{% page_parts missing %}{% page_parts parts %}")
    assert template.render(Context({"parts": []})) == ""


def files_below_deliveries() -> Iterator[Path]:
    yield from (settings.BASE_DIR / "subscriptions").rglob("*.py")
    templates = settings.BASE_DIR / "templates"
    for path in templates.rglob("*.*"):
        if templates / "deliveries" not in path.parents:
            yield path


def test_nothing_below_deliveries_names_its_pages_tags_or_templates() -> None:
    named = {
        str(path.relative_to(settings.BASE_DIR)): found
        for path in files_below_deliveries()
        if (found := NAMES_OF_DELIVERIES.findall(path.read_text(encoding="utf-8")))
    }
    assert named == {}


@pytest.mark.parametrize(
    "text",
    [
        "{% url 'deliveries:event-list' broadcaster.pk %}",
        'reverse("deliveries:overview")',
        "{% load portal deliveries humanize %}",
        '{% include "deliveries/_test_button.html" %}',
    ],
)
def test_the_search_for_such_names_finds_them(text: str) -> None:
    assert NAMES_OF_DELIVERIES.search(text)
