"""The request bin's pages in the portal: what they show, and to whom."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import BinRequest, Delivery, RequestBin
from deliveries.test_console import request_bin as bins
from subscriptions.models import Broadcaster, Member, User
from subscriptions.models.broadcaster import Role
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def broadcaster() -> Broadcaster:
    return broadcaster_on("clawget").broadcaster


@pytest.fixture
def found(broadcaster: Broadcaster) -> RequestBin:
    return bins.open_bin(broadcaster)


def post(found: RequestBin, body: bytes = b"{}", rest: str = "") -> None:
    path = f"/bin/{found.public_id}/{rest}"
    assert Client().post(path, body, content_type="application/json").status_code == 200


def client_of(broadcaster: Broadcaster, role: Role | None) -> Client:
    user = User.objects.create_user(f"{role}@example.com", "x")
    if role is not None:
        Member.objects.create(broadcaster=broadcaster, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def developer(broadcaster: Broadcaster) -> Client:
    return client_of(broadcaster, Role.DEVELOPER)


def page(broadcaster: Broadcaster, name: str = "", *args: object) -> str:
    return reverse(f"deliveries:request-bin{name}", args=[broadcaster.pk, *args])


def test_the_page_shows_the_url_and_what_came_in(
    developer: Client, broadcaster: Broadcaster, found: RequestBin
) -> None:
    assert "Nothing has come in yet" in developer.get(page(broadcaster)).content.decode()
    post(found, b'{"comment":"<b>bold</b>"}', rest="a/b")
    text = developer.get(page(broadcaster)).content.decode()
    assert bins.bin_url(found) in text
    assert "POST /a/b" in text
    assert "Not verified" in text
    kept = found.requests.get()
    detail = developer.get(page(broadcaster, "-request", kept.pk)).content.decode()
    assert "&lt;b&gt;bold&lt;/b&gt;" in detail and "<b>bold" not in detail
    assert "The header X-Clawget-Signature is missing." in detail


def test_a_poll_where_nothing_is_new_has_no_content(
    developer: Client, broadcaster: Broadcaster, found: RequestBin
) -> None:
    post(found)
    kept = found.requests.get()
    htmx = {"HX-Request": "true"}
    url = page(broadcaster)
    assert developer.get(f"{url}?seen={kept.pk}", headers=htmx).status_code == 204
    fragment = developer.get(f"{url}?seen=", headers=htmx)
    assert fragment.status_code == 200
    assert b"<html" not in fragment.content
    assert f"seen={kept.pk}".encode() in fragment.content


def test_older_requests_are_on_pages_of_their_own(
    developer: Client, broadcaster: Broadcaster, found: RequestBin
) -> None:
    for number in range(30):
        BinRequest.objects.create(bin=found, method="POST", path=f"/bin/x/n{number}/")
    first = developer.get(page(broadcaster)).content.decode()
    assert "/n29/" in first and "/n4/" not in first
    oldest = found.requests.order_by("-id")[24]
    older = developer.get(f"{page(broadcaster)}?before={oldest.pk}").content.decode()
    assert "/n4/" in older and "/n29/" not in older
    assert "hx-trigger" not in older


def test_a_developer_adds_it_as_a_webhook_and_sends_a_test(
    developer: Client, broadcaster: Broadcaster, found: RequestBin
) -> None:
    assert developer.post(page(broadcaster, "-add-webhook")).status_code == 302
    endpoint = broadcaster.endpoints.get()
    assert (endpoint.url, endpoint.all_topics) == (bins.bin_url(found), True)
    developer.post(page(broadcaster, "-send-test"), {"endpoint": endpoint.public_id})
    assert Delivery.objects.get(endpoint=endpoint).test
    elsewhere = endpoint_at("https://example.com/", broadcaster)
    refused = developer.post(page(broadcaster, "-send-test"), {"endpoint": elsewhere.public_id})
    assert refused.status_code == 404


def test_the_answer_is_set_by_the_form(
    developer: Client, broadcaster: Broadcaster, found: RequestBin
) -> None:
    url = page(broadcaster, "-set-answer")
    developer.post(url, {"answer_status": "503", "answer_delay": "1.5"})
    found.refresh_from_db()
    assert (found.answer_status, found.answer_delay_ms) == (503, 1500)
    refused = developer.post(url, {"answer_status": "200", "answer_delay": "36"})
    assert refused.status_code == 422
    assert "Nothing was saved" in refused.content.decode()


def test_emptying_it_forgets_what_came_in(
    developer: Client, broadcaster: Broadcaster, found: RequestBin
) -> None:
    post(found)
    developer.post(page(broadcaster, "-empty"))
    assert not found.requests.exists()


@pytest.mark.parametrize("name", ["-set-answer", "-empty", "-add-webhook", "-send-test"])
def test_a_viewer_looks_and_changes_nothing(broadcaster: Broadcaster, name: str) -> None:
    viewer = client_of(broadcaster, Role.VIEWER)
    shown = viewer.get(page(broadcaster))
    assert shown.status_code == 200
    assert page(broadcaster, name) not in shown.content.decode()
    assert viewer.post(page(broadcaster, name)).status_code == 403


def test_an_outsider_finds_nothing(broadcaster: Broadcaster, found: RequestBin) -> None:
    post(found)
    kept = found.requests.get()
    other = broadcaster_on("clawget", "Other").broadcaster
    outsider = client_of(other, Role.OWNER)
    assert outsider.get(page(broadcaster)).status_code == 404
    assert outsider.get(page(broadcaster, "-request", kept.pk)).status_code == 404
    assert outsider.get(page(other, "-request", kept.pk)).status_code == 404
    assert outsider.post(page(broadcaster, "-empty")).status_code == 404
    assert found.requests.exists()
