"""What templates draw of deliveries, and that no template tag reads the database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from deliveries.statistics.charts import Bar
from deliveries.templatetags.deliveries import duration, percent, status_words, svg_bars
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.signing_tokens import rotate_token
from subscriptions.models import Endpoint
from subscriptions.portal.page_parts import Part
from tests.deliveries.views.pages import add_attempt, count_hour, create_delivery, set_state
from tests.portal_clients import HTMX, Portal

TAGS = tuple(
    str(settings.BASE_DIR / app / "templatetags") for app in ("subscriptions", "deliveries")
)


@contextmanager
def refusing_queries_of_tags() -> Iterator[None]:
    """Within it, a query fails if a tag or filter of the portal asks for it, however deep below."""

    def refuse(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
            if frame.f_code.co_filename.startswith(TAGS):
                raise AssertionError(f"{frame.f_code.co_name} asks the database: {sql[:200]}")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize(
    ("ms", "words"),
    [(None, ""), (0.4, "under 1 ms"), (84.4, "84 ms"), (1_234, "1.2 s"), (30_000, "30 s")],
)
def test_a_duration_is_in_its_own_unit(ms: float | None, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, ""), (0, "0 %"), (0.01, "under 0.1 %"), (99.95, "over 99.9 %"), (12.34, "12.3 %")],
)
def test_a_share_is_not_rounded_to_none_or_all(value: float | None, words: str) -> None:
    assert percent(value) == words


def test_a_status_without_a_name_is_its_number() -> None:
    assert [status_words(code) for code in (404, 299, None)] == ["404 Not Found", "299", ""]


def test_bars_are_rectangles_with_decimal_points() -> None:
    bars = [Bar("good", 1.5, 0, 3.0, 20), Bar("bad", 4.0, 2.25, 3.0, 1)]
    assert svg_bars(bars, "s-") == (
        '<rect class="s-good" x="1.5" y="0" width="3" height="20"/>'
        '<rect class="s-bad" x="4" y="2.25" width="3" height="1"/>'
    )


@pytest.mark.parametrize("who", ["owner", "viewer"])
def test_no_template_tag_asks_the_database(portal: Portal, who: str) -> None:
    endpoints = [portal.add_endpoint(url=f"https://example.com/{n}") for n in range(3)]
    rotate_token(endpoint=endpoints[0], actor=COMMAND_LINE)
    portal.add_endpoint(name="Off", url="https://example.com/off", active=False)
    count_hour(endpoints[0], timezone.now(), succeeded=3, failed=1)
    portal.live.endpoints.exclude(pk=endpoints[0].pk).update(all_topics=False)
    delivery = set_state(create_delivery(portal.live), status="failed")
    add_attempt(delivery)
    detail = [portal.live.pk, delivery.public_id]
    client = portal.client(who)
    with refusing_queries_of_tags():
        for address in (
            *(portal.url(view) for view in ("endpoint-list", "topic-list", "member-list")),
            *(portal.url(view) for view in ("publisher-token-list", "audit-log", "account")),
            *(portal.url("endpoint-detail", endpoint.public_id) for endpoint in endpoints),
            portal.url("endpoint-token", endpoints[0].public_id),
            portal.url("endpoint-edit", endpoints[0].public_id),
            portal.url("endpoint-set-active", endpoints[0].public_id),
            portal.url("topic-detail", "license.created"),
            *(
                reverse(f"deliveries:{view}", args=[portal.live.pk])
                for view in ("overview", "delivery-list", "event-list", "test-console")
            ),
            reverse("deliveries:delivery-detail", args=detail),
            reverse("deliveries:event-detail", args=[portal.live.pk, delivery.event.event_id]),
        ):
            assert client.get(address).status_code in (200, 403)


def test_no_tag_of_a_row_that_was_switched_on_asks_the_database(portal: Portal) -> None:
    endpoint = portal.add_endpoint(active=False)
    address = portal.url("endpoint-set-active", endpoint.public_id)
    form = {"active": "1", "row": "1"}
    with refusing_queries_of_tags():
        row = portal.client("developer").post(address, form, headers=HTMX).content.decode()
    assert "It missed nothing." in row


def test_a_tag_that_asks_is_found(portal: Portal) -> None:
    portal.add_endpoint()
    context = {"webhook": Endpoint.objects.filter(broadcaster=portal.live), "entry": None}
    parts = [Part("subscriptions/_audit_target.html", context)]
    template = Template("{% load portal %}{% page_parts parts %}")
    with (
        refusing_queries_of_tags(),
        pytest.raises(AssertionError, match="page_parts asks the database"),
    ):
        template.render(Context({"parts": parts}))
