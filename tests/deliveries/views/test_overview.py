"""The overview: numbers, what needs attention, and the first steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from deliveries.models import BinRequest, EndpointHealth, RequestBin
from deliveries.statistics.traffic import PERIODS
from subscriptions.models import Broadcaster
from tests.deliveries.views.pages import count_hour, create_delivery, set_state, url
from tests.portal_clients import Portal


def overview(portal: Portal, query: str = "", of: Broadcaster | None = None) -> Any:
    response = portal.client("owner").get(f"{url(portal, 'overview', of=of)}?{query}")
    assert response.status_code == 200
    return response


def test_the_chart_has_its_numbers_in_a_table(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    count_hour(endpoint, timezone.now(), succeeded=1234, failed=7, exhausted=7, ms_2=1241)
    text = overview(portal).content.decode()
    assert "1,241" in text
    assert '<td class="end">1234</td>' in text
    assert "0.6 %" in text
    assert 'class="c-delivered"' in text


def test_what_needs_attention_comes_with_its_cause(portal: Portal) -> None:
    failing = portal.add_endpoint(name="Failing one")
    EndpointHealth.objects.create(
        endpoint=failing, consecutive_failures=3, last_failure="tls_expired"
    )
    suspended = portal.add_endpoint(name="Stopped one", url="https://example.com/2")
    suspended.suspended_at, suspended.status_reason = timezone.now(), "it answered 410 Gone."
    suspended.save()
    fine = portal.add_endpoint(name="Fine one", url="https://example.com/3")
    EndpointHealth.objects.create(endpoint=fine, last_success_at=timezone.now())
    off = portal.add_endpoint(name="Off one", url="https://example.com/4", active=False)
    EndpointHealth.objects.create(endpoint=off, consecutive_failures=9, last_failure="timeout")
    response = overview(portal)
    assert [a.endpoint.name for a in response.context["attention"]] == [
        "Stopped one",
        "Failing one",
    ]
    text = response.content.decode()
    assert "the certificate has expired" in text
    assert "it answered 410 Gone." in text


def test_the_overview_says_since_when_the_oldest_due_delivery_waits(portal: Portal) -> None:
    portal.add_endpoint()
    due = timezone.now() - timedelta(minutes=7)
    set_state(create_delivery(portal.live), next_attempt_at=due)
    response = overview(portal)
    assert response.context["waiting_since"] == due
    assert "7 minutes ago" in response.content.decode()


def test_the_first_steps_are_ticked_by_what_happened(portal: Portal) -> None:
    def ticked() -> list[bool]:
        first_steps = overview(portal).context["first_steps"]
        return [
            first_steps.has_webhook,
            first_steps.test_received,
            first_steps.signature_verified,
            first_steps.first_delivered,
        ]

    assert ticked() == [False] * 4
    endpoint = portal.add_endpoint()
    assert ticked() == [True, False, False, False]
    test = create_delivery(portal.live)
    set_state(test, test=True, status="failed")
    assert ticked() == [True, False, False, False]
    set_state(test, status="delivered")
    assert ticked() == [True, True, False, False]
    request_bin = RequestBin.objects.create(broadcaster=portal.live)
    BinRequest.objects.create(bin=request_bin, method="POST", path="/", verified=False)
    BinRequest.objects.create(bin=request_bin, method="POST", path="/", verified=True)
    assert ticked() == [True, True, True, False]
    count_hour(endpoint, timezone.now(), succeeded=1)
    response = overview(portal)
    assert not response.context["is_first_run"]
    assert "First steps" not in response.content.decode()


def test_the_first_steps_of_one_broadcaster_are_not_anothers(portal: Portal) -> None:
    portal.add_endpoint()
    first_steps = overview(portal, of=portal.sandbox).context["first_steps"]
    assert not first_steps.has_webhook


def test_tests_are_not_among_the_latest_failures(portal: Portal) -> None:
    portal.add_endpoint()
    failed = set_state(create_delivery(portal.live, n=1), status="failed")
    set_state(create_delivery(portal.live, n=2), status="failed", test=True)
    assert [d.pk for d in overview(portal).context["failures"]] == [failed.pk]


def test_an_unknown_period_is_the_last_day(portal: Portal) -> None:
    assert overview(portal, "period=century").context["period"] is PERIODS[0]
