"""The request bin: what it answers, what it stores, and how it verifies signatures."""

from __future__ import annotations

import threading
import time
from ipaddress import ip_network
from typing import Any

import pytest
import requests
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deliveries.models import BinRequest, Delivery, RequestBin
from deliveries.models.request_bin import NO_ANSWER
from deliveries.publishing import publish
from deliveries.signing.signature import signature_headers
from deliveries.test_console import request_bin as bins
from deliveries.views import request_bin as receiving
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import decrypt_tokens, rotate_token
from subscriptions.errors import Refused
from subscriptions.models import Broadcaster, Endpoint
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at

pytestmark = pytest.mark.django_db
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@pytest.fixture
def broadcaster() -> Broadcaster:
    return broadcaster_on("clawget").broadcaster


@pytest.fixture
def found(broadcaster: Broadcaster) -> RequestBin:
    return bins.open_bin(broadcaster)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr("deliveries.views.request_bin.time.sleep", seconds.append)
    return seconds


def path(found: RequestBin, rest: str = "") -> str:
    return f"/bin/{found.public_id}/{rest}"


def signed_for(endpoint: Endpoint, body: bytes) -> dict[str, str]:
    return dict(
        signature_headers(
            signature=endpoint.broadcaster.rules.signature,
            choice=endpoint.signature,
            tokens=decrypt_tokens(endpoint, timezone.now()),
            event_id="evt_1",
            body=body,
            sent_at=timezone.now(),
        )
    )


def post(found: RequestBin, body: bytes = b"{}", rest: str = "", **headers: str) -> Any:
    return Client(enforce_csrf_checks=True).post(
        path(found, rest), body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_a_request_of_any_method_is_stored_with_headers_and_body(
    found: RequestBin, method: str
) -> None:
    response = Client(enforce_csrf_checks=True).generic(
        method, path(found) + "?a=%00", b"\xff\x00body", headers={"X-One": "1"}
    )
    assert response.status_code == 200
    kept = found.requests.get()
    assert (kept.method, bytes(kept.body)) == (method, b"\xff\x00body")
    assert kept.path.endswith("?a=%00")
    assert ["X-One", "1"] in kept.headers


def test_the_url_works_without_its_last_slash_too(found: RequestBin) -> None:
    assert (
        Client().post(path(found).rstrip("/"), b"x", content_type="text/plain").status_code == 200
    )


def test_an_unknown_bin_is_not_found() -> None:
    assert Client().post("/bin/bin_00000000000000000000/").status_code == 404


def test_an_operator_can_switch_the_bin_off(found: RequestBin, settings: Settings) -> None:
    settings.WEBHOOKS_REQUEST_BIN = False
    assert post(found).status_code == 404
    assert not found.requests.exists()


@pytest.mark.parametrize("status", [200, 204, 302, 404, 410, 429, 500, 599])
def test_a_path_below_the_bin_sets_the_status(found: RequestBin, status: int) -> None:
    response = post(found, rest=f"status/{status}/")
    assert response.status_code == status
    assert found.requests.get().answered_status == status
    assert response.has_header("Location") == (status == 302)
    assert response.has_header("Retry-After") == (status == 429)
    assert (response.content == b"") == (status == 204)


@pytest.mark.parametrize("rest", ["status/99/", "status/100/", "status/600/", "status/abc/", "a/b"])
def test_any_other_path_gets_the_answer_that_is_set(found: RequestBin, rest: str) -> None:
    bins.set_answer(found, bins.BinAnswer(418), actor=COMMAND_LINE)
    assert post(found, rest=rest).status_code == 418


def test_a_request_to_a_slow_path_is_stored_before_the_delay_and_without_a_lock(
    found: RequestBin, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, int]] = []
    monkeypatch.setattr(
        "deliveries.views.request_bin.time.sleep",
        lambda s: seen.append((s, found.requests.count())),
    )
    assert post(found, rest="slow/10/").status_code == 200
    assert post(found, rest="slow/99/").status_code == 200
    assert seen == [(10.0, 1), (bins.MAX_DELAY.total_seconds(), 2)]


def test_a_bin_told_not_to_answer_holds_the_sender_longer_than_any_timeout(
    found: RequestBin, slept: list[float]
) -> None:
    bins.set_answer(found, bins.BinAnswer(NO_ANSWER), actor=COMMAND_LINE)
    assert post(found).status_code == 504
    assert slept == [35.0]
    assert found.requests.get().answered_status is None


def test_slow_answers_never_take_all_threads(found: RequestBin) -> None:
    held = [receiving._waiting.acquire(blocking=False) for _ in range(receiving.MAX_WAITING)]
    try:
        response = post(found, rest="slow/9/")
        assert response.status_code == 503
        assert response["Retry-After"] == "5"
        assert found.requests.get().answered_status == 503
        assert post(found).status_code == 200
    finally:
        for _ in held:
            receiving._waiting.release()


def test_a_slow_answer_gives_its_place_back(found: RequestBin, slept: list[float]) -> None:
    for _ in range(receiving.MAX_WAITING + 1):
        assert post(found, rest="slow/1/").status_code == 200
    assert len(slept) == receiving.MAX_WAITING + 1


def test_a_body_over_the_limit_is_refused_and_not_stored(found: RequestBin) -> None:
    assert post(found, b"x" * bins.MAX_BODY_BYTES).status_code == 200
    assert post(found, b"x" * (bins.MAX_BODY_BYTES + 1)).status_code == 413
    assert found.requests.count() == 1


def test_only_the_newest_hundred_requests_are_stored(found: RequestBin) -> None:
    BinRequest.objects.bulk_create(
        BinRequest(bin=found, method="POST", path="/old")
        for _ in range(bins.MAX_STORED_REQUESTS + 5)
    )
    other = bins.open_bin(broadcaster_on("clawget", "Other").broadcaster)
    BinRequest.objects.create(bin=other, method="POST", path="/other")
    post(found)
    assert found.requests.count() == bins.MAX_STORED_REQUESTS
    newest = found.requests.first()
    assert newest is not None and newest.path == path(found)
    assert other.requests.count() == 1


def test_a_request_that_cannot_be_stored_gets_503(
    found: RequestBin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(receiving, "store_request", locked)
    response = post(found)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"


def test_secrets_among_the_headers_are_masked_and_signatures_are_not(found: RequestBin) -> None:
    client = Client(headers={"Authorization": "Bearer abc", "X-Clawget-Signature": "f00"})
    client.cookies["sessionid"] = "very-secret"
    client.post(path(found), b"{}", content_type="application/json")
    headers = dict(found.requests.get().headers)
    assert "very-secret" not in str(headers) and "abc" not in str(headers)
    assert headers["X-Clawget-Signature"] == "f00"


def test_a_signature_is_checked_against_the_webhooks_that_point_here(
    broadcaster: Broadcaster, found: RequestBin
) -> None:
    endpoint = endpoint_at(bins.bin_url(found), broadcaster, name="Shop")
    elsewhere = endpoint_at("https://example.com/hook", broadcaster)
    body = b'{"a":1}'
    post(found, body, **signed_for(endpoint, body))
    post(found, body, **signed_for(elsewhere, body))
    post(found, body)
    missing, wrong, right = found.requests.all()
    assert right.verified is True
    assert right.verified_by == f"X-Clawget-Signature with the token …{endpoint.token_hint} of Shop"
    assert (wrong.verified, wrong.verified_by) == (False, "")
    assert "does not fit" in wrong.reason
    assert missing.reason == "The header X-Clawget-Signature is missing."


def test_the_previous_token_verifies_while_it_is_good(
    broadcaster: Broadcaster, found: RequestBin
) -> None:
    endpoint = endpoint_at(bins.bin_url(found), broadcaster, name="Shop")
    rotate_token(endpoint=endpoint, actor=COMMAND_LINE)
    endpoint.refresh_from_db()
    post(found, b"{}", **signed_for(endpoint, b"{}"))
    kept = found.requests.get()
    assert kept.verified is True
    assert "the previous token" in kept.verified_by


def test_a_webhook_still_points_here_when_the_portal_has_moved(
    broadcaster: Broadcaster, found: RequestBin, settings: Settings
) -> None:
    endpoint = endpoint_at(bins.bin_url(found), broadcaster)
    settings.WEBHOOKS_PUBLIC_URL = "http://localhost:1"
    assert list(bins.endpoints_sending_to(found)) == [endpoint]


@pytest.mark.parametrize(
    "answer", [bins.BinAnswer(199), bins.BinAnswer(600), bins.BinAnswer(200, bins.MAX_DELAY * 2)]
)
def test_an_answer_out_of_range_is_refused(found: RequestBin, answer: bins.BinAnswer) -> None:
    with pytest.raises(Refused, match=r"out of range|no status"):
        bins.set_answer(found, answer, actor=COMMAND_LINE)


@pytest.mark.django_db(transaction=True)
def test_a_delivery_from_the_worker_to_the_bin_of_the_same_server_arrives_and_is_verified(
    live_server: LiveServer, settings: Settings, transactional_db: None
) -> None:
    settings.WEBHOOKS_PUBLIC_URL = live_server.url
    settings.WEBHOOKS_ALLOWED_NETWORKS = settings.WEBHOOKS_ALLOWED_NETWORKS + LOOPBACK
    broadcaster = broadcaster_on("standard").broadcaster
    found = bins.open_bin(broadcaster)
    endpoint_at(bins.bin_url(found), broadcaster, name="Bin")
    endpoint_at(bins.bin_url(found, "status/500/"), broadcaster, name="Failing")
    topic = broadcaster.platform.topics.first()
    assert topic is not None
    publish(broadcaster=broadcaster, topic=topic.name, data=topic.sample_data)

    dispatch()

    states = dict(Delivery.objects.values_list("endpoint__name", "status"))
    assert states == {"Bin": "delivered", "Failing": "pending"}
    assert list(found.requests.values_list("verified", flat=True)) == [True, True]
    retried = Delivery.objects.get(endpoint__name="Failing")
    assert (retried.status_code, retried.attempt_count) == (500, 1)
    assert retried.next_attempt_at is not None and retried.next_attempt_at > timezone.now()


@pytest.mark.django_db(transaction=True)
def test_while_a_sender_waits_others_write(
    live_server: LiveServer, settings: Settings, transactional_db: None
) -> None:
    found = bins.open_bin(broadcaster_on("standard").broadcaster)
    url = f"{live_server.url}{path(found)}"
    slow = threading.Thread(target=requests.post, args=(f"{url}slow/2/",), kwargs={"timeout": 9})
    slow.start()
    try:
        started = time.monotonic()
        _until(lambda: found.requests.exists())
        assert requests.post(url, b"{}", timeout=9).status_code == 200
        assert time.monotonic() - started < 2
    finally:
        slow.join()
    connection.close()


def _until(happens: Any) -> None:
    end = time.monotonic() + 5
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)
