"""How a viewer wants pages: the theme they chose and the zone of their browser."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from django.test import RequestFactory

from subscriptions.portal.display_preferences import find_zone, read_zone
from tests.portal_clients import Portal, one_line


@pytest.mark.parametrize(
    ("theme", "sheets", "scheme"),
    [("light", 0, "light"), ("dark", 2, "dark"), ("system", 2, "light dark")],
)
def test_a_theme_is_kept_and_needs_no_script(
    portal: Portal, theme: str, sheets: int, scheme: str
) -> None:
    client = portal.client("viewer")
    here = portal.url("topic-list")
    response = client.post("/theme/", {"theme": theme, "next": here})
    assert response["Location"] == here
    html = one_line(client.get(here).content.decode())
    head = html[: html.index("</head>")]
    assert head.count("-dark.css") == sheets
    assert head.count("prefers-color-scheme") == (sheets if theme == "system" else 0)
    assert f'name="color-scheme" content="{scheme}"' in head
    assert f'value="{theme}" aria-pressed="true"' in html
    nobody = portal.client("nobody")
    nobody.cookies["theme"] = theme
    assert f'content="{scheme}"' in nobody.get("/accounts/login/").content.decode()


def test_what_is_no_theme_is_not_kept_and_leads_to_no_other_site(portal: Portal) -> None:
    client = portal.client("viewer")
    response = client.post("/theme/", {"theme": "<b>", "next": "https://evil.example/"})
    assert response["Location"] == "/"
    assert "theme" not in response.cookies
    assert client.get("/theme/").status_code == 405


@pytest.mark.parametrize("name", ["", "Europe", "../../etc/passwd", "Mars/Olympus", "a" * 99])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert find_zone(name) is None


def test_the_zone_is_the_browsers_unless_the_viewer_wants_utc(portal: Portal) -> None:
    request = RequestFactory().get("/")
    request.user = portal.users["viewer"]
    assert read_zone(request) is UTC
    request.COOKIES["zone"] = "Pacific/Auckland"
    assert str(read_zone(request)) == "Pacific/Auckland"
    portal.users["viewer"].use_utc = True
    assert read_zone(request) is UTC


def test_every_time_on_a_page_is_in_the_viewers_zone_without_scripts(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("viewer")
    client.cookies["zone"] = "Asia/Kolkata"
    html = client.get(portal.url("endpoint-detail", endpoint.public_id)).content.decode()
    assert 'data-shown-zone="Asia/Kolkata"' in html
    shown = re.findall(r'class="t-abs" data-to="\w+">([^<]+)<', html)
    assert shown
    assert all(words.endswith("GMT+5:30") for words in shown)
