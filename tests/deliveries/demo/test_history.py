"""The demonstration's month of deliveries: what it adds fits together, and fits the pages."""

from __future__ import annotations

import io
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Q, Sum
from django.utils import timezone
from pytest_django import Settings

from deliveries.demo import DAYS, EMAIL, add_history, ensure_demo
from deliveries.demo.receivers import RECEIVERS
from deliveries.models import Attempt, Delivery, EndpointHealth, EndpointHour
from deliveries.signing.verification import KnownToken, verify
from subscriptions.endpoints.signing_tokens import decrypt_tokens
from subscriptions.identifiers import uuid7_time
from subscriptions.models import Broadcaster, Endpoint, User
from tests.portal_clients import Portal

pytestmark = pytest.mark.django_db
NAMES = [receiver.name for receiver in RECEIVERS]
COUNT = 400


@pytest.fixture
def demo_settings(settings: Settings, tmp_path: Any) -> Settings:
    settings.WEBHOOKS_DATA_DIR = tmp_path
    settings.WEBHOOKS_PUBLIC_URL = "http://localhost:8000"
    return settings


def load(count: int = COUNT) -> str:
    out = io.StringIO()
    call_command("demo", deliveries=count, stdout=out)
    return out.getvalue()


def load_same(demo_settings: Settings) -> None:
    """The same each time, where a test is about how many there are of what."""
    add_history(
        ensure_demo(demo_settings.WEBHOOKS_DATA_DIR).broadcasters,
        deliveries=COUNT,
        now=timezone.now(),
        rng=random.Random(5),
        progress=lambda made: None,
    )


def history() -> Any:
    return Delivery.objects.filter(endpoint__name__in=NAMES)


def test_the_command_adds_as_many_finished_deliveries_as_asked_for_each_time(
    demo_settings: Settings,
) -> None:
    said = load(50)
    assert "50 of 50 deliveries (100 %)" in said
    assert history().count() == 50
    endpoints = Endpoint.objects.count()
    load(30)
    assert history().count() == 80
    assert Endpoint.objects.count() == endpoints
    assert not history().filter(Q(status="pending") | Q(completed_at=None)).exists()
    assert not history().filter(next_attempt_at__isnull=False).exists()


def test_a_portal_that_runs_on_another_port_meanwhile_keeps_its_webhooks(
    demo_settings: Settings,
) -> None:
    call_command("demo", stdout=io.StringIO())
    demo_settings.WEBHOOKS_PUBLIC_URL = "http://localhost:9999"
    said = load(20)
    assert "localhost:9999" not in said
    urls = Endpoint.objects.values_list("url", flat=True)
    assert all(url.startswith("http://localhost:8000/bin/bin_") for url in urls)


def test_the_history_is_a_month_of_every_platform_with_failures_of_many_kinds(
    demo_settings: Settings,
) -> None:
    load_same(demo_settings)
    now = timezone.now()
    oldest, newest = history().order_by("pk")[0], history().order_by("-pk")[0]
    assert timedelta(days=DAYS - 1) < now - oldest.created_at <= timedelta(days=DAYS, minutes=1)
    assert now - newest.created_at < timedelta(hours=12)
    live = Broadcaster.objects.filter(live=None)
    assert all(history().filter(broadcaster=b).count() > COUNT / 20 for b in live)
    first = live.order_by("platform__name")[0]
    assert history().filter(broadcaster=first).count() > COUNT / 3
    assert 0.8 < history().filter(status="delivered").count() / COUNT < 1
    classes = Counter(Attempt.objects.filter(outcome="failed").values_list("failure", flat=True))
    assert len(classes) >= 5
    assert history().values("topic").distinct().count() > 20
    assert set(history().values_list("endpoint__name", flat=True)) == set(NAMES)


def test_the_state_of_a_delivery_follows_from_its_attempts(demo_settings: Settings) -> None:
    load()
    for delivery in history().prefetch_related("attempts").select_related("event"):
        attempts = sorted(delivery.attempts.all(), key=lambda attempt: attempt.number)
        assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
        assert delivery.attempt_count == len(attempts)
        times = [attempt.sent_at for attempt in attempts]
        assert times == sorted(times)
        assert delivery.created_at == delivery.event.created_at <= times[0]
        last = attempts[-1]
        assert (last.outcome == "succeeded") == (delivery.status == "delivered")
        assert (delivery.failure, delivery.status_code) == (last.failure, last.status_code)
        assert (delivery.status == "delivered") == (delivery.status_reason == "")
        assert delivery.completed_at >= last.sent_at
        for row in (delivery, delivery.event):
            assert abs(uuid7_time(row.pk) - row.created_at) < timedelta(seconds=1)
        for attempt in attempts:
            assert abs(uuid7_time(attempt.pk) - attempt.sent_at) < timedelta(seconds=1)


def test_the_hourly_counters_are_those_of_the_attempts(demo_settings: Settings) -> None:
    load()
    counted = EndpointHour.objects.values("endpoint_id").annotate(
        good=Sum("succeeded"), bad=Sum("failed"), lost=Sum("unknown"), ended=Sum("exhausted")
    )
    in_log = {
        row["endpoint_id"]: row
        for row in Attempt.objects.values("endpoint_id").annotate(
            good=Count("pk", filter=Q(outcome="succeeded")),
            bad=Count("pk", filter=Q(outcome="failed")),
            lost=Count("pk", filter=Q(outcome="unknown")),
        )
    }
    ended = Counter(history().filter(status="failed").values_list("endpoint_id", flat=True))
    assert len(counted) == len(in_log)
    for row in counted:
        logged = in_log[row["endpoint_id"]]
        assert {name: row[name] for name in ("good", "bad", "lost")} == {
            name: logged[name] for name in ("good", "bad", "lost")
        }
        assert row["ended"] == ended[row["endpoint_id"]]
    # Outages long over make none of them look broken today.
    assert EndpointHealth.objects.filter(endpoint__name__in=NAMES).exists()
    assert not Endpoint.objects.filter(suspended_at__isnull=False).exists()


def test_the_requests_are_really_signed(demo_settings: Settings) -> None:
    load_same(demo_settings)
    signed = Attempt.objects.filter(broadcaster__platform_id="standard").select_related(
        "endpoint", "delivery__event"
    )
    assert signed
    for attempt in signed:
        pair = decrypt_tokens(attempt.endpoint, attempt.sent_at)
        assert pair is not None
        verified = verify(
            signature=attempt.broadcaster.rules.signature,
            headers=[(name, value) for name, value in attempt.request_headers],
            body=attempt.delivery.event.body.encode(),
            tokens=[KnownToken("it", pair.current)],
            now=attempt.sent_at,
        )
        assert verified.ok, verified


def test_the_pages_show_the_history(demo_settings: Settings, portal: Portal) -> None:
    load(80)
    user = User.objects.get(email=EMAIL)
    client = portal.client("owner")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    delivery = history().exclude(status="delivered").first() or history()[0]
    home = f"/b/{delivery.broadcaster_id}/"
    for path in ("", "deliveries/", "events/", "webhooks/", f"deliveries/{delivery.public_id}/"):
        assert client.get(home + path).status_code == 200


def test_a_deleted_webhook_gets_no_history_and_without_any_the_command_says_so(
    demo_settings: Settings,
) -> None:
    load(20)
    Endpoint.objects.filter(name="CRM").update(deleted_at=timezone.now())
    before = Delivery.objects.filter(endpoint__name="CRM").count()
    load(40)
    assert Delivery.objects.filter(endpoint__name="CRM").count() == before
    Endpoint.objects.filter(name__in=NAMES).update(active=False)
    with pytest.raises(CommandError, match="a history needs one of CRM"):
        load(20)


@pytest.mark.parametrize("number", ["0", "-1", "1000000000"])
def test_a_number_out_of_range_is_refused_with_the_range(
    demo_settings: Settings, number: str
) -> None:
    with pytest.raises(CommandError, match="out of range: 1 to"):
        call_command("demo", "--deliveries", number)
