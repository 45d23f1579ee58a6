"""Who gets which page of deliveries: one table of all pages, for each kind of person."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries.event_log.wait_reasons import _MAX_OLDEST_DUE
from deliveries.models import Delivery
from deliveries.publishing import publish
from deliveries.test_console import send_fault_pack
from deliveries.urls import broadcaster_pages
from subscriptions.audit import COMMAND_LINE
from tests.deliveries.views.pages import add_attempt, url
from tests.portal_clients import HTMX, Portal

# View name, kind of its argument, role it needs for GET and POST (None: it has no such method).
PAGES = [
    ("overview", "", "viewer", None),
    ("delivery-list", "", "viewer", None),
    ("delivery-export", "", "viewer", None),
    ("delivery-bulk", "", None, "developer"),
    ("delivery-detail", "delivery", "viewer", None),
    ("delivery-resend", "delivery", None, "developer"),
    ("delivery-retry-now", "delivery", None, "developer"),
    ("delivery-cancel", "delivery", "developer", "developer"),
    ("test-result", "delivery", "viewer", None),
    ("event-list", "", "viewer", None),
    ("event-detail", "event", "viewer", None),
    ("event-resend", "event", "developer", "developer"),
    ("endpoint-test", "endpoint", None, "developer"),
    ("endpoint-rehearse-token", "endpoint", None, "developer"),
    ("endpoint-missed", "endpoint", "developer", "developer"),
    ("test-console", "", "developer", "developer"),
    ("signature-debugger", "", "viewer", "viewer"),
    ("test-faults", "", None, "developer"),
    ("test-faults-result", "run", "viewer", None),
]
# What names its object in the form.
POSTED = ("test-faults",)
RANK = {"viewer": 0, "developer": 1, "owner": 2}
# A form that changes nothing.
TRIED_BY_ALL = ("signature-debugger",)
NO_PAGES = ("test-result", "delivery-export")
READ = [page for page in PAGES if page[2] == "viewer" and page[0] not in NO_PAGES]


def argument(portal: Portal, kind: str) -> list[object]:
    if not kind:
        return []
    endpoint = portal.add_endpoint()
    event = publish(broadcaster=portal.live, topic="license.created", data={"key": "x"}).event
    delivery = Delivery.objects.get(event=event)
    if kind == "run":
        return [send_fault_pack(endpoint=endpoint, actor=COMMAND_LINE, kinds=["duplicate"])]
    found: dict[str, list[object]] = {
        "endpoint": [endpoint.public_id],
        "event": [event.event_id],
        "delivery": [delivery.public_id],
    }
    return found[kind]


def names(patterns: Any) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        below = getattr(pattern, "url_patterns", None)
        found |= {pattern.name} if below is None else names(below)
    return found


def ids(page: tuple[str, ...]) -> str:
    return page[0]


def test_the_table_has_every_page_of_a_broadcaster() -> None:
    ours = {n for n in names(broadcaster_pages) if not n.startswith("request-bin")}
    assert ours == {page[0] for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=ids)
@pytest.mark.parametrize("who", RANK)
def test_a_page_opens_for_its_role_and_no_lower_one(
    portal: Portal, page: tuple[str, str, str | None, str | None], who: str
) -> None:
    view, kind, for_get, for_post = page
    address = url(portal, view, *argument(portal, kind))
    for method, needed in (("get", for_get), ("post", for_post)):
        response = getattr(portal.client(who), method)(address)
        if needed is None:
            assert response.status_code in (403, 405)
        elif RANK[who] < RANK[needed]:
            assert response.status_code == 403
        elif view in POSTED:
            assert response.status_code == 404, "it posts which webhook"
        else:
            expected = (200, 422) if view in TRIED_BY_ALL else (200, 302)
            assert response.status_code in expected


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_stranger_finds_nothing_at_any_page(portal: Portal, page: tuple[str, ...]) -> None:
    address = url(portal, page[0], *argument(portal, page[1]))
    client = portal.client("stranger")
    for method in (client.get, client.post):
        assert method(address).status_code == 404


@pytest.mark.parametrize("page", [p for p in PAGES if p[1]], ids=ids)
def test_another_broadcasters_object_is_not_found_below_ones_own(
    portal: Portal, page: tuple[str, ...]
) -> None:
    foreign = argument(portal, page[1])
    address = url(portal, page[0], *foreign, of=portal.foreign)
    client = portal.client("stranger")
    assert client.post(address).status_code in (404, 405)
    assert client.get(address).status_code in (404, 405)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_who_is_signed_out_is_led_to_the_sign_in_page(
    portal: Portal, page: tuple[str, ...]
) -> None:
    address = url(portal, page[0], *argument(portal, page[1]))
    response = portal.client("nobody").get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", READ, ids=ids)
def test_a_viewer_is_offered_no_form_that_would_be_refused(
    portal: Portal, page: tuple[str, ...]
) -> None:
    address = url(portal, page[0], *argument(portal, page[1]))
    text = portal.client("viewer").get(address).content.decode()
    main = text[text.index("<main") : text.index("</main>")]
    assert ('method="post"' in main) == (page[0] in TRIED_BY_ALL)
    assert "/cancel/" not in main
    assert "/new/" not in main
    assert "test-console" not in text, "nor in the menu"


@pytest.mark.parametrize("page", READ, ids=ids)
def test_a_page_takes_eight_queries_at_most_and_no_count(
    portal: Portal, page: tuple[str, ...]
) -> None:
    address = url(portal, page[0], *argument(portal, page[1]))
    for number in range(3):
        portal.add_endpoint(name=f"W{number}", url=f"https://example.com/{number}")
    for number in range(5):
        publish(broadcaster=portal.live, topic="license.created", data={"n": number})
    for delivery in Delivery.objects.select_related("broadcaster", "endpoint"):
        add_attempt(delivery)
    client = portal.client("developer")
    client.get(address)  # the session remembers the broadcaster
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    assert len(queries) <= 8, [query["sql"][:100] for query in queries]
    # Those in flight are counted among so many of the oldest, and no more.
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
    assert not [sql for sql in counts if f"LIMIT {_MAX_OLDEST_DUE}" not in sql]


@pytest.mark.parametrize("page", READ, ids=ids)
def test_pages_hold_to_the_content_security_policy(portal: Portal, page: tuple[str, ...]) -> None:
    address = url(portal, page[0], *argument(portal, page[1]))
    for headers in ({}, HTMX):
        text = portal.client("owner").get(address, headers=headers).content.decode()
        for forbidden in (" style=", "<style", " onclick=", " onchange=", "javascript:", "hx-on"):
            assert forbidden not in text
