"""Who gets which page: one table of all pages, for each kind of person."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.accounts import create_token
from subscriptions.accounts.members import invite
from subscriptions.audit import COMMAND_LINE
from subscriptions.urls import broadcaster_pages
from tests.portal_clients import HTMX, Portal, one_line

# View name, kind of its argument, role it needs for GET and POST (None: it has no such method).
PAGES = [
    ("endpoint-list", "", "viewer", None),
    ("endpoint-new", "", "developer", "developer"),
    ("endpoint-check-url", "", "developer", None),
    ("endpoint-several", "", None, "developer"),
    ("endpoint-detail", "endpoint", "viewer", None),
    ("endpoint-edit", "endpoint", "developer", "developer"),
    ("endpoint-set-active", "endpoint", "developer", "developer"),
    ("endpoint-resume", "endpoint", None, "developer"),
    ("endpoint-delete", "endpoint", "developer", "developer"),
    ("endpoint-token", "endpoint", "viewer", None),
    ("endpoint-rotate-token", "endpoint", "developer", "developer"),
    ("endpoint-reveal-token", "endpoint", None, "developer"),
    ("endpoint-end-previous-token", "endpoint", "developer", "developer"),
    ("topic-list", "", "viewer", None),
    ("topic-detail", "topic", "viewer", None),
    ("publisher-token-list", "", "viewer", None),
    ("publisher-token-new", "", "developer", "developer"),
    ("publisher-token-revoke", "token", "developer", "developer"),
    ("member-list", "", "viewer", None),
    ("member-invite", "", None, "owner"),
    ("member-set-role", "member", None, "owner"),
    ("member-remove", "member", "owner", "owner"),
    ("member-withdraw-invitation", "invitation", None, "owner"),
    ("audit-log", "", "owner", None),
    ("account", "", "viewer", None),
    ("broadcaster-welcome", "", "owner", None),
]
RANK = {"viewer": 0, "developer": 1, "owner": 2}


def argument(portal: Portal, kind: str) -> list[object]:
    if kind == "endpoint":
        return [portal.add_endpoint().public_id]
    if kind == "token":
        made = create_token(
            broadcaster=portal.live, name="T", scopes=["events:write"], actor=COMMAND_LINE
        )
        return [made.token.public_id]
    if kind == "invitation":
        invited = invite(
            broadcaster=portal.live, email="x@example.com", role="viewer", actor=COMMAND_LINE
        )
        return [invited.invitation.pk]
    if kind == "member":
        return [portal.live.members.get(user=portal.users["developer"]).pk]
    return ["license.created"] if kind == "topic" else []


def names(patterns: Any) -> set[str]:
    return {
        name
        for pattern in patterns
        for name in (
            names(pattern.url_patterns) if hasattr(pattern, "url_patterns") else {pattern.name}
        )
    }


def test_the_table_has_every_page_of_a_broadcaster() -> None:
    assert names(broadcaster_pages) == {page[0] for page in PAGES}


def ids(page: tuple[str, ...]) -> str:
    return page[0]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_who_is_signed_out_is_sent_to_the_sign_in_page_and_back(portal: Portal, page: Any) -> None:
    url = portal.url(page[0], *argument(portal, page[1]))
    response = portal.client("nobody").get(url)
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={url}"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_an_outsider_finds_nothing(portal: Portal, page: Any) -> None:
    url = portal.url(page[0], *argument(portal, page[1]))
    stranger = portal.client("stranger")
    assert stranger.get(url).status_code == 404
    assert stranger.post(url).status_code == 404


@pytest.mark.parametrize("page", [p for p in PAGES if p[1] not in ("", "topic")], ids=ids)
def test_an_object_is_not_found_under_another_broadcaster(portal: Portal, page: Any) -> None:
    url = portal.url(page[0], *argument(portal, page[1]), broadcaster=portal.foreign)
    stranger = portal.client("stranger")
    expected = {404} if page[2] else {404, 405}
    assert stranger.get(url).status_code in expected
    assert stranger.post(url).status_code in ({404} if page[3] else {404, 405})


@pytest.mark.parametrize("who", ["viewer", "developer", "owner"])
@pytest.mark.parametrize("page", [p for p in PAGES if p[2]], ids=ids)
def test_a_page_opens_for_its_role_and_those_above(portal: Portal, page: Any, who: str) -> None:
    response = portal.client(who).get(portal.url(page[0], *argument(portal, page[1])))
    enough = RANK[who] >= RANK[page[2]]
    # A signed platform: every page there is opens, the URL check to htmx alone.
    if page[0] == "endpoint-check-url" and enough:
        assert response.status_code == 302
    elif page[0] == "member-remove" and not enough:
        # Members may leave, so the page is there for their own row only.
        assert response.status_code == (200 if who == "developer" else 404)
    else:
        assert response.status_code == (200 if enough else 403)


@pytest.mark.parametrize("page", [p for p in PAGES if p[3]], ids=ids)
def test_a_change_needs_its_role(portal: Portal, page: Any) -> None:
    url = portal.url(page[0], *argument(portal, page[1]))
    below = [who for who in RANK if RANK[who] < RANK[page[3]]]
    for who in below:
        if page[0] == "member-remove" and who == "developer":
            continue
        refused = portal.client(who).post(url).status_code
        assert refused == (404 if page[0] == "member-remove" else 403)


@pytest.mark.parametrize("page", [p for p in PAGES if p[2]], ids=ids)
def test_pages_keep_to_the_content_security_policy(portal: Portal, page: Any) -> None:
    response = portal.client("owner").get(portal.url(page[0], *argument(portal, page[1])))
    html = response.content.decode()
    assert "style=" not in html
    assert "<style" not in html
    assert not re.search(r"\son[a-z]+=", html)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', html)
    assert "unsafe" not in response["Content-Security-Policy"]


def test_a_viewer_is_offered_nothing_that_fails(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("viewer")
    offered = set()
    for view, arguments in (
        ("endpoint-list", ()),
        ("endpoint-detail", (endpoint.public_id,)),
        ("endpoint-token", (endpoint.public_id,)),
        ("publisher-token-list", ()),
        ("topic-list", ()),
        ("member-list", ()),
    ):
        html = client.get(portal.url(view, *arguments)).content.decode()
        main = html[html.index("<main") : html.index("</main")]
        offered |= set(re.findall(r'(?:href|action)="(/b/[^"?]+)', main))
    assert offered
    assert all(client.get(url).status_code == 200 for url in offered)


def test_the_sandbox_is_open_to_the_members_of_its_live_twin(portal: Portal) -> None:
    url = portal.url("endpoint-list", broadcaster=portal.sandbox)
    response = portal.client("viewer").get(url)
    assert response.status_code == 200
    assert "is-sandbox" in response.content.decode()
    assert portal.client("stranger").get(url).status_code == 404


def test_the_switch_leads_to_the_same_page_of_the_twin(portal: Portal) -> None:
    client = portal.client("owner")
    html = client.get(portal.url("topic-list")).content.decode()
    assert f'href="{portal.url("topic-list", broadcaster=portal.sandbox)}"' in html
    endpoint = portal.add_endpoint()
    html = client.get(portal.url("endpoint-detail", endpoint.public_id)).content.decode()
    list_of_twin = portal.url("endpoint-list", broadcaster=portal.sandbox)
    assert f'class="sandbox" href="{list_of_twin}"' in one_line(html)


def test_a_list_takes_at_most_eight_queries_however_long_it_is(portal: Portal) -> None:
    for number in range(5):
        portal.add_endpoint(name=f"Webhook {number}", topics=["license.created"])
    client = portal.client("owner")
    client.get(portal.url("endpoint-list"))
    with CaptureQueriesContext(connection) as queries:
        client.get(portal.url("endpoint-list"))
    assert len(queries) <= 8, [query["sql"][:120] for query in queries]


def test_an_ended_session_takes_a_fragment_to_the_sign_in_page(portal: Portal) -> None:
    response = portal.client("nobody").get(
        portal.url("endpoint-list"),
        headers={**HTMX, "HX-Current-URL": "http://testserver/b/1/webhooks/"},
    )
    assert response["HX-Redirect"] == "/accounts/login/?next=/b/1/webhooks/"
