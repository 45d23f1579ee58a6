"""Staff pages about what happened: found by id, scope and time; acted on through the verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deliveries.models import Attempt, Delivery, Event, Pump
from deliveries.publishing import publish
from deliveries.test_console.request_bin import open_bin
from subscriptions.admin import log_tables
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import delete_endpoint
from subscriptions.identifiers import uuid7
from subscriptions.models import AuditEntry, Broadcaster, Endpoint
from tests.deliveries.sending import broadcaster_on, endpoint_at
from tests.staff_clients import act, change_url, list_url, staff, superuser

pytestmark = pytest.mark.django_db
URL = "https://example.com/hook"
DELIVERY, EVENT, ATTEMPT = "deliveries_delivery", "deliveries_event", "deliveries_attempt"


@pytest.fixture
def root() -> Client:
    return superuser()


@pytest.fixture
def shop() -> Broadcaster:
    return broadcaster_on("clawget").broadcaster


@pytest.fixture
def endpoint(shop: Broadcaster) -> Endpoint:
    return endpoint_at(URL, shop)


def published(broadcaster: Broadcaster, **fields: Any) -> Delivery:
    event = publish(broadcaster=broadcaster, topic="review.created", data={}, **fields).event
    return Delivery.objects.get(event=event)


def attempted(delivery: Delivery, **fields: Any) -> Attempt:
    values = {
        "delivery": delivery,
        "broadcaster_id": delivery.broadcaster_id,
        "number": 1,
        "endpoint_id": delivery.endpoint_id,
        "topic": delivery.topic,
        "trigger": "publish",
        "outcome": "failed",
        "failure": "http_5xx",
        "status_code": 500,
        "sent_at": timezone.now(),
        "request_url": URL,
    }
    return Attempt.objects.create(**(values | fields))


def shown(root: Client, model: str, **query: Any) -> str:
    return root.get(list_url(model), query).content.decode()


def test_events_deliveries_and_attempts_open_and_change_nothing(
    root: Client, endpoint: Endpoint, shop: Broadcaster
) -> None:
    delivery = published(shop)
    attempt = attempted(delivery, response_body=b"<b>Oops</b>\xff")
    pages = ((DELIVERY, delivery.pk), (EVENT, delivery.event_id), (ATTEMPT, attempt.pk))
    for model, pk in pages:
        url = change_url(model, pk)
        text = root.get(url).content.decode()
        assert 'name="_save"' not in text
        assert root.post(url, {"topic": "x"}).status_code == 403
        assert root.post(reverse(f"admin:{model}_delete", args=[pk])).status_code == 403
        assert root.get(reverse(f"admin:{model}_add")).status_code == 403
    delivery_page = root.get(change_url(DELIVERY, delivery.pk)).content.decode()
    assert attempt.public_id in delivery_page and delivery.event.event_id in delivery_page
    assert delivery.public_id in root.get(change_url(EVENT, delivery.event_id)).content.decode()
    text = root.get(change_url(ATTEMPT, attempt.pk)).content.decode()
    assert "&lt;b&gt;Oops&lt;/b&gt;" in text and "<b>Oops" not in text


def test_a_delivery_is_found_by_its_id_and_by_its_events(
    root: Client, endpoint: Endpoint, shop: Broadcaster
) -> None:
    wanted, other = published(shop, event_id="order-77"), published(shop)
    for term in (wanted.public_id, str(wanted.pk), "order-77", f" {wanted.public_id} "):
        text = shown(root, DELIVERY, q=term)
        assert wanted.public_id in text and other.public_id not in text, term
    assert other.public_id in shown(root, DELIVERY, q=other.event.event_id)
    both = shown(root, DELIVERY, q=endpoint.public_id)
    assert wanted.public_id in both and other.public_id in both
    assert "0 results" in shown(root, DELIVERY, q="nothing")


def test_an_event_is_found_by_the_publishers_id_in_any_broadcaster(
    root: Client, shop: Broadcaster
) -> None:
    other = broadcaster_on("clawget", "Other").broadcaster
    events = [
        publish(broadcaster=b, topic="review.created", data={}, event_id="same").event
        for b in (shop, other)
    ]
    made = publish(broadcaster=shop, topic="review.created", data={}).event
    text = shown(root, EVENT, q="same")
    assert all(change_url(EVENT, event.pk) in text for event in events)
    assert made.event_id not in text
    assert made.event_id in shown(root, EVENT, q=made.event_id)


def test_an_attempt_is_found_by_its_id_and_by_its_deliverys(
    root: Client, endpoint: Endpoint, shop: Broadcaster
) -> None:
    wanted, other = attempted(published(shop)), attempted(published(shop))
    for term in (wanted.public_id, wanted.delivery.public_id):
        text = shown(root, ATTEMPT, q=term)
        assert wanted.public_id in text and other.public_id not in text


def test_lists_are_narrowed_by_broadcaster_webhook_and_the_rest(
    root: Client, endpoint: Endpoint, shop: Broadcaster
) -> None:
    other = broadcaster_on("clawget", "Other").broadcaster
    elsewhere = endpoint_at(URL, other)
    mine, theirs = published(shop), published(other)
    Delivery.objects.filter(pk=theirs.pk).update(status="failed", failure="http_5xx")
    queries: list[dict[str, Any]] = [
        {"broadcaster": shop.pk},
        {"endpoint": endpoint.public_id},
        {"status__exact": "pending"},
    ]
    for query in queries:
        text = shown(root, DELIVERY, **query)
        assert mine.public_id in text and theirs.public_id not in text, query
    queries = [
        {"endpoint": elsewhere.public_id},
        {"failure": "http_5xx"},
        {"broadcaster": other.pk, "topic": "review.created", "status__exact": "failed"},
    ]
    for query in queries:
        text = shown(root, DELIVERY, **query)
        assert theirs.public_id in text and mine.public_id not in text, query
    for query in ({"broadcaster": "x"}, {"endpoint": "ep_none"}, {"before": "soon"}):
        assert "0 results" in shown(root, DELIVERY, **query), query


def test_a_filter_that_is_typed_in_keeps_the_other_filters(root: Client, shop: Broadcaster) -> None:
    text = shown(root, DELIVERY, broadcaster=shop.pk, status__exact="failed")
    hidden = f'<input type="hidden" name="broadcaster" value="{shop.pk}">'
    assert hidden in text
    assert '<input type="hidden" name="status__exact" value="failed">' in text


@pytest.mark.parametrize("hours", [-1, 1])
def test_older_rows_are_reached_by_time(
    root: Client, endpoint: Endpoint, shop: Broadcaster, hours: int
) -> None:
    delivery = published(shop)
    moment = (timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")
    assert (delivery.public_id in shown(root, DELIVERY, before=moment)) == (hours > 0)


def many(shop: Broadcaster, count: int) -> list[Event]:
    now = timezone.now()
    return Event.objects.bulk_create(
        Event(
            id=uuid7(),
            broadcaster=shop,
            event_id=f"e{number}",
            topic="t",
            occurred_at=now,
            created_at=now,
            body="{}",
            fingerprint="",
        )
        for number in range(count)
    )


def test_a_list_shows_the_newest_of_its_scope_and_counts_no_further(
    root: Client, shop: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tables, "MAX_LISTED_ROWS", 20)
    many(shop, 50)
    other = broadcaster_on("clawget", "Other").broadcaster
    many(other, 5)
    assert "20 results" in shown(root, EVENT)
    assert "20 results" in shown(root, EVENT, broadcaster=shop.pk)
    assert "5 results" in shown(root, EVENT, broadcaster=other.pk)
    assert "1 result" in shown(root, EVENT, q="e0", broadcaster=shop.pk)


@pytest.mark.parametrize(
    "query", [{}, {"status__exact": "failed"}, {"failure": "http_5xx"}, {"topic": "t"}]
)
def test_every_query_of_a_list_is_bounded_by_the_primary_key(
    root: Client,
    endpoint: Endpoint,
    shop: Broadcaster,
    query: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_tables, "MAX_LISTED_ROWS", 1)
    for _ in range(3):
        published(shop)
    with CaptureQueriesContext(connection) as captured:
        shown(root, DELIVERY, broadcaster=str(shop.pk), **query)
    on_table = [q["sql"] for q in captured if 'FROM "deliveries_delivery"' in q["sql"]]
    floor, *others = on_table
    assert "OFFSET 1" in floor and "COUNT" not in floor
    assert others
    assert all('"deliveries_delivery"."id" > ' in sql for sql in others)
    assert len(captured) <= 8


def test_actions_call_the_verbs_and_say_how_many(
    root: Client, endpoint: Endpoint, shop: Broadcaster
) -> None:
    one, two, done = (published(shop) for _ in range(3))
    Delivery.objects.filter(pk=done.pk).update(status="delivered", next_attempt_at=None)
    Delivery.objects.filter(pk=one.pk).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert act(root, DELIVERY, "retry_now", one.pk, two.pk) == [
        "1 made due.",
        f"1 refused: No retry of {two.public_id} is planned.",
    ]
    assert act(root, DELIVERY, "cancel", one.pk, two.pk, done.pk) == [
        "2 stopped.",
        f"1 refused: {done.public_id} is delivered: only a pending delivery can be stopped.",
    ]
    assert act(root, DELIVERY, "resend", one.pk, done.pk) == ["2 queued again."]
    one.refresh_from_db()
    assert (one.status, one.trigger) == ("pending", "resend")
    assert AuditEntry.objects.filter(action="delivery.resend", actor__isnull=False).count() == 2


def test_an_action_on_a_deleted_webhooks_delivery_is_refused_in_words(
    root: Client, endpoint: Endpoint, shop: Broadcaster
) -> None:
    delivery = published(shop)
    delete_endpoint(endpoint=endpoint, actor=COMMAND_LINE)
    words = act(root, DELIVERY, "resend", delivery.pk)
    assert words[0] == "0 queued again." and "was deleted" in words[1]


def test_staff_who_may_only_look_have_no_actions(endpoint: Endpoint, shop: Broadcaster) -> None:
    delivery = published(shop)
    client = staff("deliveries.view_delivery")
    text = client.get(list_url(DELIVERY)).content.decode()
    assert delivery.public_id in text and 'name="action"' not in text
    act(client, DELIVERY, "cancel", delivery.pk)
    delivery.refresh_from_db()
    assert delivery.status == "pending"
    assert client.get(list_url(EVENT)).status_code == 403


def test_a_bin_is_emptied_and_its_requests_are_shown_inert(root: Client, shop: Broadcaster) -> None:
    found = open_bin(shop)
    kept = found.requests.create(method="POST", path="/x", body=b"<script>1</script>")
    text = root.get(change_url("deliveries_binrequest", kept.pk)).content.decode()
    assert "&lt;script&gt;1" in text
    assert act(root, "deliveries_requestbin", "empty", found.pk) == ["1 emptied."]
    assert not found.requests.exists()


def test_pages_of_pumps_health_counters_and_replays_open(root: Client) -> None:
    now = timezone.now()
    Pump.objects.create(
        slot=1, host="worker-7", pid=42, started_at=now, heartbeat_at=now, lease_expires_at=now
    )
    assert "worker-7" in shown(root, "deliveries_pump")
    assert admin.site.is_registered(Pump)


def test_an_id_of_zero_is_no_error(root: Client) -> None:
    for term in (str(UUID(int=0)), "dlv_" + "0" * 26, "\0", "9" * 40, "é"):
        assert root.get(list_url(DELIVERY), {"q": term}).status_code == 200, term
        assert root.get(list_url(EVENT), {"q": term}).status_code == 200, term
        assert root.get(list_url("deliveries_pump"), {"q": term}).status_code == 200, term
        for name in ("broadcaster", "endpoint", "before", "topic", "failure"):
            assert root.get(list_url(DELIVERY), {name: term}).status_code == 200, (name, term)
