"""The menu beside each page: what every app registers, in one order."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from subscriptions.models.broadcaster import Role
from subscriptions.portal.menu import menu_for
from tests.portal_clients import Portal, one_line

MENU = [
    ("", ["Overview"]),
    (
        "Developer",
        [
            "Webhooks",
            "Events",
            "Event logs",
            "Topics",
            "Test console",
            "Request bin",
            "Signature debugger",
            "Publisher tokens",
        ],
    ),
    ("Settings", ["Team", "Audit log", "Account"]),
]
# What a role below owner, or below developer, may not open.
HIDDEN: dict[str, set[str]] = {
    "developer": {"Audit log"},
    "viewer": {"Audit log", "Test console"},
    "owner": set(),
}


@pytest.mark.parametrize("who", HIDDEN)
def test_the_menu_has_the_pages_of_all_apps_in_their_order(portal: Portal, who: str) -> None:
    menu = menu_for(portal.live, Role(who), "")
    assert [(s.title, [e.label for e in s.entries]) for s in menu] == [
        (title, [label for label in labels if label not in HIDDEN[who]]) for title, labels in MENU
    ]


@pytest.mark.parametrize("who", HIDDEN)
def test_every_page_in_the_menu_opens(portal: Portal, who: str) -> None:
    client = portal.client(who)
    for section in menu_for(portal.live, Role(who), ""):
        for entry in section.entries:
            assert client.get(entry.url).status_code == 200, entry.label


@pytest.mark.parametrize(
    ("view_name", "label"),
    [
        ("deliveries:overview", "Overview"),
        ("subscriptions:endpoint-token", "Webhooks"),
        ("deliveries:event-detail", "Events"),
        ("deliveries:delivery-detail", "Event logs"),
        ("subscriptions:publisher-token-new", "Publisher tokens"),
        ("deliveries:request-bin-request", "Request bin"),
        ("subscriptions:broadcaster-welcome", None),
    ],
)
def test_the_page_above_the_one_that_is_open_is_the_current_one(
    portal: Portal, view_name: str, label: str | None
) -> None:
    menu = menu_for(portal.live, Role.OWNER, view_name)
    current = [entry.label for section in menu for entry in section.entries if entry.current]
    assert current == ([label] if label else [])


def test_the_twin_of_a_page_without_a_place_in_the_menu_is_the_list_of_webhooks(
    portal: Portal,
) -> None:
    endpoint = portal.add_endpoint()
    address = reverse("deliveries:endpoint-missed", args=[portal.live.pk, endpoint.public_id])
    html = one_line(portal.client("developer").get(address).content.decode())
    sandbox = re.search(r'class="sandbox" href="([^"]+)"', html)
    assert sandbox is not None
    assert sandbox[1] == portal.url("endpoint-list", broadcaster=portal.sandbox)
