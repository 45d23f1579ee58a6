"""What holds for every page whoever asks: forged forms, addresses elsewhere, headers and cookies."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscriptions.models import User
from tests.attacks.hostile import TEXTS
from tests.attacks.portal_walk import PAGES, TENANTS_PAGES, Page, Victim, state_of
from tests.portal_clients import HTMX, PASSWORD, Portal

pytestmark = pytest.mark.django_db
# Called by programs, with a token or with nothing that a browser would add by itself.
NO_FORMS = ("/api/", "/3.1/", "/bin/", "/static/", "/healthz", "/readyz", "/metrics")
FORMS = [page for page in PAGES if not page.address.startswith(NO_FORMS)]
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "\x01//evil.example/",
    " //evil.example/",
    "https:evil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
)
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def filled(page: Page, victim: Victim) -> str:
    """With the tenant's own ids; what else an address names is made up."""
    return page.path(
        **{
            **dict.fromkeys(page.parameters, "1"),
            **{k: v for k, v in victim.ids.items() if k in page.parameters},
        }
    )


@pytest.mark.one_database
def test_a_forged_form_is_refused_at_every_page(portal: Portal, victim: Victim) -> None:
    """Signed in as the owner, by a browser that another site tells to post."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(portal.users["owner"], "allauth.account.auth_backends.AuthenticationBackend")
    before = state_of(victim.broadcaster)
    assert len(FORMS) > 100, "the admin's as well"
    for page in FORMS:
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(filled(page, victim))
            assert answer.status_code == 403, (method, page)
    answer = client.post(portal.url("account"), headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert state_of(victim.broadcaster) == before


def leads_away(location: str) -> bool:
    return not re.match(r"/(?![/\\\s])", location) or bool(re.search(r"[\x00-\x20\\]", location))


@pytest.mark.one_database
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_signing_in_and_out_leads_nowhere_else(portal: Portal, elsewhere: str) -> None:
    form = {"login": "owner@example.com", "password": PASSWORD, "next": elsewhere}
    client = Client()
    answer = client.post(reverse("account_login"), form)
    assert answer.status_code == 302
    assert not leads_away(answer["Location"])
    answer = client.post(
        reverse("account_reauthenticate"), {"password": PASSWORD, "next": elsewhere}
    )
    assert answer.status_code == 302
    assert not leads_away(answer["Location"])
    answer = client.post(reverse("account_logout"), {"next": elsewhere})
    assert not leads_away(answer["Location"])


@pytest.mark.one_database
def test_no_form_of_a_broadcaster_leads_elsewhere(portal: Portal, victim: Victim) -> None:
    client = portal.client("owner")
    pages = [page for page in PAGES if page.name == "theme"] + [
        page for page in TENANTS_PAGES if page.name not in ("member-remove", "endpoint-delete")
    ]
    seen = 0
    for page in pages:
        for elsewhere in ("//evil.example/", "/\\evil.example/", "javascript:evil"):
            for headers in ({}, {**HTMX, "HX-Current-URL": elsewhere}):
                form = {"next": elsewhere, "confirmed": "1", "active": "1", "action": "cancel"}
                answer = client.post(filled(page, victim), form, headers=headers)
                for name in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url"):
                    if location := answer.headers.get(name):
                        seen += 1
                        assert not leads_away(location), (page, name, location)
                asked = client.get(filled(page, victim), {"next": elsewhere}, headers=headers)
                assert not leads_away(asked.headers.get("Location", "/"))
                if not asked.streaming:
                    written = re.findall(
                        rb'(?:href|action|value)="([^"]*evil[^"]*)"', asked.content
                    )
                    assert not [w for w in written if not w.startswith(b"/b/")], (page, written)
    assert seen > 30


@pytest.mark.one_database
def test_every_answer_has_the_strict_policy_and_its_headers(portal: Portal, victim: Victim) -> None:
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    staff = Client()
    staff.force_login(root, "allauth.account.auth_backends.AuthenticationBackend")
    owner = portal.client("owner")
    for page in PAGES:
        client = staff if page.address.startswith("/admin/") else owner
        if page.name in ("account_logout", "logout"):
            continue
        answer = client.get(filled(page, victim))
        assert answer.status_code < 500, page
        policy = {part.strip() for part in answer["Content-Security-Policy"].split(";") if part}
        assert policy == POLICY, page
        assert answer["X-Frame-Options"] == "DENY", page
        assert answer["X-Content-Type-Options"] == "nosniff", page
        assert answer["Referrer-Policy"] == "same-origin", page
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", page
        if answer["Content-Type"].startswith("text/html") and not answer.streaming:
            html = answer.content.decode()
            assert not re.search(r"<[^>]+\s(?:on[a-z]+|style)=", html), page
            assert "<style" not in html, page
            for tag in re.findall(r"<script[^>]*>", html):
                assert "src=" in tag or "application/json" in tag, (page, tag)


def test_error_pages_have_them_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    answers = {
        400: Client(HTTP_HOST="evil.example").get("/"),
        403: Client(enforce_csrf_checks=True).post(reverse("account_login")),
        404: Client().get("/nothing/here/"),
        405: Client().get(reverse("subscriptions:theme")),
    }
    monkeypatch.setattr("subscriptions.views.invitations.find_invitation", broken)
    answers[500] = Client(raise_request_exception=False).get("/invitations/abc/")
    for status, answer in answers.items():
        assert answer.status_code == status
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], status
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"style=" not in answer.content
        assert b"evil.example" not in answer.content


def test_cookies_are_kept_from_scripts_and_other_sites(portal: Portal, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.get(reverse("account_login"))
    client.post(reverse("account_login"), {"login": "owner@example.com", "password": PASSWORD})
    client.post(reverse("subscriptions:theme"), {"theme": "dark"})
    assert {"sessionid", "csrftoken"} <= set(client.cookies)
    for cookie in client.cookies.values():
        if cookie.value:
            assert cookie["httponly"] and cookie["secure"], cookie
            assert cookie["samesite"] == "Lax", cookie


# --- Hostile filters and fields -------------------------------------------------------------------

READ = (
    "q",
    "cursor",
    "before",
    "since",
    "until",
    "status",
    "topic",
    "endpoint",
    "failure",
    "code",
    "test",
    "period",
    "format",
    "subject",
    "url",
    "use_case",
    "seen",
    "tail",
    "live",
    "page",
    "attempt",
    "next",
)


def test_a_hostile_query_is_no_500_at_any_page(portal: Portal, victim: Victim) -> None:
    client = portal.client("owner")
    for page in TENANTS_PAGES:
        is_list = page.parameters == {"broadcaster_id"}
        if client.get(filled(page, victim)).status_code == 405:
            continue
        # A page of one thing reads next to nothing of a query.
        for told in TEXTS if is_list else ("a NUL", "beyond bigint", "markup"):
            given = TEXTS[told].encode("utf-8", "surrogatepass").decode("latin-1")
            answer = client.get(filled(page, victim), dict.fromkeys(READ, given))
            assert answer.status_code < 500, (page, told)
            if not answer.streaming:
                assert b"<script>alert" not in answer.content


def test_a_hostile_id_is_no_500_at_any_page(portal: Portal, victim: Victim) -> None:
    client = portal.client("owner")
    pages = [page for page in PAGES if page.parameters and not page.address.startswith("/api")]
    for page in pages:
        for name in (
            "beyond bigint",
            "far beyond bigint",
            "other scripts' digits",
            "zero",
            "a wrong prefix",
            "overlong",
            "dots",
            "a NUL",
        ):
            for changed in page.parameters:
                ids = {**dict.fromkeys(page.parameters, "1"), **victim.ids, changed: "\0"}
                path = page.path(**{k: v for k, v in ids.items() if k in page.parameters})
                path = path.replace("\0", TEXTS[name].replace("\0", "%00"))
                assert client.get(path).status_code < 500, (page, name)
                assert client.post(path).status_code < 500, (page, name)


def test_a_hostile_field_is_no_500_in_any_form(portal: Portal, victim: Victim) -> None:
    """The names come from the forms that the pages show."""
    client = portal.client("owner")
    names: set[bytes] = set()
    for page in TENANTS_PAGES:
        answer = client.get(filled(page, victim))
        if not answer.streaming:
            names |= set(
                re.findall(rb'<(?:input|select|textarea)[^>]+name="([^"]+)"', answer.content)
            )
    assert len(names) > 25
    fields = sorted({name.decode() for name in names} - {"csrfmiddlewaretoken"})
    for page in TENANTS_PAGES:
        for told in (
            "a NUL",
            "overlong",
            "beyond bigint",
            "a noncharacter",
            "markup",
            "other scripts' digits",
            "JSON",
            "a date beyond all",
        ):
            answer = client.post(filled(page, victim), dict.fromkeys(fields, TEXTS[told]))
            assert answer.status_code < 500, (page, told)
            if not answer.streaming:
                assert b"<script>alert" not in answer.content, (page, told)
