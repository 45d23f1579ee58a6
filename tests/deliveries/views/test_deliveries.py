"""Event logs: filters, pages, the live tail, one delivery, and exports."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from deliveries.event_log import export, pages
from deliveries.models import Delivery, DeliveryStatus
from subscriptions.identifiers import first_uuid7
from subscriptions.models import AuditEntry
from subscriptions.paging import keyset
from tests.deliveries.views.pages import add_attempt, create_delivery, publish_event, set_state, url
from tests.portal_clients import HTMX, Portal


def shown_ids(portal: Portal, query: str = "", who: str = "viewer") -> list[str]:
    response = portal.client(who).get(f"{url(portal, 'delivery-list')}?{query}")
    assert response.status_code == 200
    return [delivery.public_id for delivery in response.context["page"].rows]


def test_an_empty_log_says_what_comes_next(portal: Portal) -> None:
    text = portal.client("owner").get(url(portal, "delivery-list")).content.decode()
    assert "No deliveries yet" in text
    assert url(portal, "test-console") in text


def test_deliveries_are_listed_newest_first(portal: Portal) -> None:
    portal.add_endpoint()
    made = [create_delivery(portal.live, n=n).public_id for n in range(3)]
    assert shown_ids(portal) == made[::-1]


@pytest.fixture
def mixed(portal: Portal) -> dict[str, Delivery]:
    """One delivery of each kind, to two webhooks."""
    first = portal.add_endpoint(name="First", topics=["license.created"])
    second = portal.add_endpoint(
        name="Second", url="https://example.com/2", topics=["license.renewed"]
    )
    made = {
        "delivered": publish_event(portal.live, "license.created", key="findme-ü"),
        "failed": publish_event(portal.live, "license.created", key="b"),
        "pending": publish_event(portal.live, "license.renewed", key="c"),
        "test": publish_event(portal.live, "license.renewed", key="d"),
    }
    found = {name: Delivery.objects.get(event=event) for name, event in made.items()}
    set_state(found["delivered"], status="delivered", status_code=200, attempt_count=1)
    set_state(found["failed"], status="failed", status_code=500, failure="http_5xx")
    set_state(found["test"], status="delivered", test=True, attempt_count=3)
    assert {first.pk, second.pk} == {delivery.endpoint_id for delivery in found.values()}
    return found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=failed", {"failed"}),
        ("status=delivered", {"delivered", "test"}),
        ("status=delivered&test=no", {"delivered"}),
        ("test=only", {"test"}),
        ("failure=http_5xx", {"failed"}),
        ("code=200", {"delivered"}),
        ("status=delivered&attempts=several", {"test"}),
        ("attempts=one", {"delivered"}),
        ("topic=license.renewed", {"pending", "test"}),
        ("topic=license.renewed&status=pending", {"pending"}),
        ("q=findme-%C3%BC", {"delivered"}),
        ("q=nothing-has-this", set()),
        ("since=2000-01-01&until=2199-01-01", {"delivered", "failed", "pending", "test"}),
        ("until=2001-01-01", set()),
        ("since=2190-01-01", set()),
    ],
)
def test_a_filter_leaves_the_deliveries_that_it_names(
    portal: Portal, mixed: dict[str, Delivery], query: str, names: set[str]
) -> None:
    assert set(shown_ids(portal, query)) == {mixed[name].public_id for name in names}


def test_the_log_of_a_webhook_is_its_tab(portal: Portal, mixed: dict[str, Delivery]) -> None:
    endpoint = mixed["failed"].endpoint
    address = f"{url(portal, 'delivery-list')}?endpoint={endpoint.public_id}&status=failed"
    response = portal.client("viewer").get(address)
    assert [d.pk for d in response.context["page"].rows] == [mixed["failed"].pk]
    assert 'aria-label="Parts of this webhook"' in response.content.decode()


def test_a_search_finds_an_object_by_its_whole_id(
    portal: Portal, mixed: dict[str, Delivery]
) -> None:
    wanted = mixed["pending"]
    for text in (wanted.public_id, wanted.event.event_id, wanted.event.event_id[4:20]):
        assert wanted.public_id in shown_ids(portal, f"q={text}")
    assert shown_ids(portal, f"q={wanted.public_id}") == [wanted.public_id]


@pytest.mark.parametrize(
    "query",
    [
        *("status=nonsense", "code=abc", "code=7", "attempts=2"),
        *("endpoint=ep_foreign", "since=2026-13-40", "test=maybe"),
    ],
)
def test_a_filter_that_makes_no_sense_shows_nothing_and_says_so(
    portal: Portal, mixed: dict[str, Delivery], query: str
) -> None:
    response = portal.client("viewer").get(f"{url(portal, 'delivery-list')}?{query}")
    assert response.context["page"].rows == []
    text = response.content.decode()
    assert "These filters cannot be used" in text
    assert "Search again" not in text
    assert 'class="fault" role="alert"' in text


def test_each_filter_is_a_chip_with_a_link_that_removes_it(
    portal: Portal, mixed: dict[str, Delivery]
) -> None:
    response = portal.client("viewer").get(
        f"{url(portal, 'delivery-list')}?status=failed&code=500&q="
    )
    chips = {
        each.name: (each.value, each.without) for each in response.context["form"].applied_filters
    }
    assert chips == {"Status": ("Failed", "code=500"), "HTTP code": ("500", "status=failed")}
    assert 'href="?code=500"' in response.content.decode()


def test_another_broadcasters_deliveries_are_in_no_list_and_no_search(portal: Portal) -> None:
    portal.add_endpoint(portal.foreign)
    foreign = create_delivery(portal.foreign, key="secret-of-others")
    for query in (
        "",
        f"q={foreign.public_id}",
        "q=secret-of-others",
        f"q={foreign.event.event_id}",
    ):
        assert shown_ids(portal, query) == []


def test_pages_stay_as_they_are_while_rows_are_added(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    portal.add_endpoint()
    made = [create_delivery(portal.live, n=n).public_id for n in range(5)][::-1]
    client = portal.client("viewer")
    first = client.get(url(portal, "delivery-list"))
    assert [d.public_id for d in first.context["page"].rows] == made[:2]
    create_delivery(portal.live, n=99)
    second = client.get(first.context["older_url"])
    assert [d.public_id for d in second.context["page"].rows] == made[2:4]
    third = client.get(second.context["older_url"])
    assert [d.public_id for d in third.context["page"].rows] == made[4:]
    assert third.context["older_url"] == ""
    assert "hx-trigger" not in third.content.decode()


def test_a_search_stops_at_its_limit_and_offers_to_continue(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_SEARCHED_ROWS", 2)
    portal.add_endpoint()
    wanted = create_delivery(portal.live, key="needle")
    for n in range(3):
        create_delivery(portal.live, n=n)
    client = portal.client("viewer")
    first = client.get(f"{url(portal, 'delivery-list')}?q=needle")
    assert first.context["page"].rows == []
    assert "Look further back" in first.content.decode()
    second = client.get(first.context["older_url"])
    assert [d.pk for d in second.context["page"].rows] == [wanted.pk]


def test_the_live_tail_answers_304_until_something_changes(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = set_state(
        create_delivery(portal.live), next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    client, address = portal.client("viewer"), url(portal, "delivery-list")
    page = client.get(address)
    assert 'hx-trigger="every 2s"' in page.content.decode()
    tag = page.context["tag_json"].replace('\\"', '"')[1:-1]
    headers = HTMX | {"If-None-Match": tag}
    assert client.get(address, headers=headers).status_code == 304
    set_state(delivery, status=DeliveryStatus.DELIVERED, attempt_count=1)
    fragment = client.get(address, headers=headers)
    assert fragment.status_code == 200
    assert "<html" not in fragment.content.decode()
    assert "Delivered" in fragment.content.decode()


def test_a_search_is_not_repeated_by_polling(portal: Portal) -> None:
    text = portal.client("viewer").get(f"{url(portal, 'delivery-list')}?q=x").content.decode()
    assert "data-poll" not in text
    assert "Search again" in text


def test_a_paused_tail_does_not_poll(portal: Portal) -> None:
    text = portal.client("viewer").get(f"{url(portal, 'delivery-list')}?tail=off").content.decode()
    assert "data-poll" not in text
    assert "Go on live" in text


def test_a_delivery_shows_each_attempt_with_why_and_what_to_do(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = create_delivery(portal.live, key="K-1")
    add_attempt(delivery)
    reason = "Attempt 1 answered HTTP 500 and was not accepted."
    add_attempt(delivery, trigger="retry", retry_reason=reason, response_body=b"other")
    later = timezone.now() + timedelta(minutes=5)
    set_state(delivery, attempt_count=2, scheduled_count=2, next_attempt_at=later, trigger="retry")
    text = portal.client("viewer").get(url(portal, "delivery-detail", delivery.public_id))
    page = text.content.decode()
    for words in ("First attempt", "Retry 1 of 5", "Retry 2 of 5", "500 Internal Server Error"):
        assert words in page
    assert reason in page
    assert "another response body" in page
    assert "What to do:" in page
    assert "&lt;h1&gt;" in page or "<span" in page
    assert "<h1>broken" not in page
    assert "hx-trigger" in page


def test_an_ended_delivery_does_not_poll(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = set_state(create_delivery(portal.live), status="delivered", next_attempt_at=None)
    page = portal.client("owner").get(url(portal, "delivery-detail", delivery.public_id))
    assert "data-poll" not in page.content.decode()


def test_a_pending_delivery_answers_304_until_it_changes(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = create_delivery(portal.live)
    client, address = portal.client("viewer"), url(portal, "delivery-detail", delivery.public_id)
    tag = client.get(address).context["tag_json"].replace('\\"', '"')[1:-1]
    headers: dict[str, Any] = HTMX | {"If-None-Match": tag}
    assert client.get(address, headers=headers).status_code == 304
    add_attempt(delivery, outcome="succeeded", failure="", status_code=200)
    set_state(delivery, status="delivered", attempt_count=1, next_attempt_at=None)
    fragment = client.get(address, headers=headers).content.decode()
    assert "data-poll" not in fragment
    assert "200 OK" in fragment


def test_what_a_receiver_sent_is_shown_and_never_becomes_markup(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = create_delivery(portal.live)
    evil = '<script>alert(1)</script>\u202e"><img src=x>'
    add_attempt(
        delivery,
        response_body=evil.encode(),
        response_headers=[["X-Evil", evil], ["Content-Type", "text/plain"]],
    )
    page = portal.client("viewer").get(url(portal, "delivery-detail", delivery.public_id))
    text = page.content.decode()
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text
    assert "⟦U+202E⟧" in text


def test_the_log_of_a_deleted_webhook_stays_readable(portal: Portal) -> None:
    endpoint = portal.add_endpoint(name="Gone one")
    delivery = create_delivery(portal.live)
    endpoint.deleted_at = timezone.now()
    endpoint.save()
    assert shown_ids(portal, f"endpoint={endpoint.public_id}") == [delivery.public_id]
    page = portal.client("owner").get(url(portal, "delivery-detail", delivery.public_id))
    assert page.status_code == 200
    assert "/resend/" not in page.content.decode()


def exported(portal: Portal, query: str) -> str:
    response: Any = portal.client("viewer").get(f"{url(portal, 'delivery-export')}?{query}")
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    return b"".join(response.streaming_content).decode()


def test_an_export_has_the_deliveries_that_the_filters_leave(
    portal: Portal, mixed: dict[str, Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_ROWS_PER_QUERY", 1)
    lines = [json.loads(line) for line in exported(portal, "format=jsonl").splitlines()]
    order = sorted(mixed.values(), key=lambda delivery: delivery.pk, reverse=True)
    assert [line["id"] for line in lines] == [delivery.public_id for delivery in order]
    assert lines[-1]["event_id"] == mixed["delivered"].event.event_id
    rows = list(csv.DictReader(io.StringIO(exported(portal, "format=csv&status=failed"))))
    assert [row["id"] for row in rows] == [mixed["failed"].public_id]
    assert (rows[0]["status_code"], rows[0]["endpoint_name"]) == ("500", "First")


def test_an_export_holds_nothing_of_others_and_no_formula(portal: Portal) -> None:
    portal.add_endpoint(portal.foreign)
    create_delivery(portal.foreign)
    portal.add_endpoint(name="=1+1")
    create_delivery(portal.live)
    rows = list(csv.DictReader(io.StringIO(exported(portal, "format=csv"))))
    assert [row["endpoint_name"] for row in rows] == ["'=1+1"]


def test_an_export_with_a_filter_that_makes_no_sense_is_empty(
    portal: Portal, mixed: dict[str, Delivery]
) -> None:
    assert exported(portal, "format=jsonl&code=abc") == ""


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\rtext", "'\rtext"),
        ("  =1", "'  =1"),
        ('"=1', "'\"=1"),
        ("'=1", "''=1"),
        ("\u200b=1", "'\u200b=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("a=1, b-2", "a=1, b-2"),
        (7, 7),
    ],
)
def test_no_cell_of_a_csv_is_a_formula(name: object, cell: object) -> None:
    assert export._cell(name) == cell


def test_an_export_is_a_download_in_a_known_format_and_is_in_the_audit_log(portal: Portal) -> None:
    url_ = f"{url(portal, 'delivery-export')}?format=csv&status=failed"
    response = portal.client("viewer").get(url_)
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get(action="delivery.export")
    assert (entry.actor_label, entry.broadcaster) == ("viewer@example.com", portal.live)
    assert entry.after == {"format": "csv", "filters": "status=failed"}


def test_days_are_in_the_viewers_zone_which_the_url_names(portal: Portal) -> None:
    portal.add_endpoint()
    late = create_delivery(portal.live)
    # 23:30 in UTC is half past noon of the next day in Auckland, where it is summer.
    moment = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    key = UUID(int=first_uuid7(moment).int | (late.pk.int & (1 << 80) - 1))
    Delivery.objects.filter(pk=late.pk).update(id=key)
    client = portal.client("viewer")
    list_of = url(portal, "delivery-list")

    def found(query: str) -> int:
        return len(client.get(f"{list_of}?{query}").context["page"].rows)

    assert found("since=2026-11-20&until=2026-11-20") == 1
    assert found("since=2026-11-21") == 0
    client.cookies["zone"] = "Pacific/Auckland"
    assert found("since=2026-11-20&until=2026-11-20") == 0
    assert found("since=2026-11-21&until=2026-11-21") == 1
    # Whoever gets the address sees the same.
    page = client.get(f"{list_of}?since=2026-11-21").content.decode()
    assert "since=2026-11-21&amp;zone=Pacific%2FAuckland" in page
    assert "2026-11-21 (Pacific/Auckland)" in page
    client.cookies["zone"] = "UTC"
    assert found("since=2026-11-21&zone=Pacific/Auckland") == 1
    assert found("since=2026-11-21&zone=Nowhere") == 0
    assert "zone=" not in client.get(f"{list_of}?zone=UTC").context["query"]
