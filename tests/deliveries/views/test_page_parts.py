"""What deliveries add to pages of webhooks, topics and the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliveries.views.page_parts import audit_target_url, health
from subscriptions.audit import COMMAND_LINE, record
from subscriptions.models import AuditEntry
from subscriptions.models.broadcaster import Role
from subscriptions.portal import PortalRequest
from tests.deliveries.views.pages import count_hour, create_delivery, publish_event, set_state, url
from tests.portal_clients import HTMX, Portal


def portal_request(portal: Portal) -> PortalRequest:
    request = cast(PortalRequest, RequestFactory().get("/"))
    request.user = portal.users["viewer"]
    request.broadcaster, request.role = portal.live, Role.VIEWER
    return request


def test_the_health_of_a_list_takes_one_query_and_leaves_out_foreign_webhooks(
    portal: Portal,
) -> None:
    own = [portal.add_endpoint(url=f"https://example.com/{n}") for n in range(3)]
    foreign = portal.add_endpoint(portal.foreign)
    for endpoint in [*own, foreign]:
        count_hour(endpoint, timezone.now(), succeeded=3, failed=1)
        count_hour(endpoint, timezone.now(), shard=2, succeeded=1)
        count_hour(endpoint, timezone.now() - timedelta(hours=30), failed=50)
    with CaptureQueriesContext(connection) as queries:
        part = health(portal_request(portal), [*own, foreign])
    assert len(queries) == 1
    assert part is not None
    summaries = part.context["health"]
    assert set(summaries) == {endpoint.pk for endpoint in own}
    assert {(h.succeeded, h.failed) for h in summaries.values()} == {(4, 1)}
    assert summaries[own[0].pk].hours[-1] == (4, 1)


def test_an_endpoint_without_traffic_has_a_health_too(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    part = health(portal_request(portal), [endpoint])
    template = Template("{% load portal %}{% page_parts parts %}")
    text = template.render(Context({"parts": [part], "endpoint": endpoint}))
    assert "Nothing sent in 24 h" in text
    assert "never" in text


def test_the_page_of_a_webhook_has_its_own_chart_with_a_table(portal: Portal) -> None:
    mine, other = portal.add_endpoint(), portal.add_endpoint(name="Other")
    count_hour(mine, timezone.now() - timedelta(days=2), succeeded=41, failed=1)
    count_hour(other, timezone.now(), succeeded=999)
    client = portal.client("viewer")
    address = portal.url("endpoint-detail", mine.public_id)
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        text = client.get(address).content.decode()
    assert len(queries) <= 8, [query["sql"][:100] for query in queries]
    assert "last 7 days" in text
    assert '<td class="end">41</td>' in text
    assert "999" not in text


def test_a_topic_says_when_its_last_event_came(portal: Portal) -> None:
    client = portal.client("viewer")
    address = portal.url("topic-detail", "license.created")
    assert "Not yet" in client.get(address).content.decode()
    event = publish_event(portal.live)
    text = client.get(address).content.decode()
    assert url(portal, "event-detail", event.event_id) in text


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (0, "No delivery waits now, so none is cancelled."),
        (1, "1 pending delivery is cancelled."),
        (2, "2 pending deliveries are cancelled."),
    ],
)
def test_a_question_before_stopping_says_how_many_deliveries_that_cancels(
    portal: Portal, waiting: int, words: str
) -> None:
    endpoint = portal.add_endpoint()
    for number in range(waiting):
        publish_event(portal.live, n=number)
    client = portal.client("developer")
    for view in ("endpoint-set-active", "endpoint-delete"):
        assert words in client.get(portal.url(view, endpoint.public_id)).content.decode()
    form = {"action": "activate", "chosen": endpoint.public_id}
    question = client.post(portal.url("endpoint-several"), form).content.decode()
    assert "Switch on 1 webhook?" in question
    assert words not in question, "switching on cancels nothing"


def test_a_webhook_that_is_switched_on_leads_to_what_it_missed(portal: Portal) -> None:
    endpoint = portal.add_endpoint(active=False)
    publish_event(portal.live)
    client = portal.client("developer")
    switch = portal.url("endpoint-set-active", endpoint.public_id)
    missed = url(portal, "endpoint-missed", endpoint.public_id)
    row = client.post(switch, {"active": "1", "row": "1"}, headers=HTMX).content.decode()
    assert f'<a href="{missed}">Replay 1 missed</a>' in row
    client.post(switch, {"active": "0"})
    page = client.post(switch, {"active": "1"})
    assert page["Location"] == f"{missed}?after=start"


def test_the_start_page_is_the_overview(portal: Portal) -> None:
    assert portal.client("viewer").get("/")["Location"] == url(portal, "overview")


def test_an_entry_of_the_audit_log_leads_to_its_delivery_or_event(portal: Portal) -> None:
    portal.add_endpoint()
    delivery = set_state(create_delivery(portal.live), status="failed")
    targets = {
        "delivery.resend": delivery.public_id,
        "event.deliver_missed": delivery.event.event_id,
        "delivery.export": "status=failed&format=csv",
    }
    for action, target in targets.items():
        record(broadcaster=portal.live, actor=COMMAND_LINE, action=action, target=target)
    html = portal.client("owner").get(portal.url("audit-log")).content.decode()
    assert f'href="{url(portal, "delivery-detail", delivery.public_id)}"' in html
    assert f'href="{url(portal, "event-detail", delivery.event.event_id)}"' in html
    exported = AuditEntry.objects.get(action="delivery.export")
    assert audit_target_url(exported) == ""
    assert audit_target_url(AuditEntry(action="member.invite", target="x")) == ""
