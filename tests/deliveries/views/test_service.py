"""Probes and metrics."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from deliveries.models import Delivery, Pump
from tests.api_clients import URL, Api, account


def pump(age_seconds: float) -> None:
    at = timezone.now() - timedelta(seconds=age_seconds)
    Pump.objects.create(
        slot=1, host="a", pid=1, started_at=at, heartbeat_at=at, lease_expires_at=at
    )


def overdue(seconds: float) -> Api:
    api = Api(account().token)
    api.post("endpoints", {"url": URL, "topics": ["*"]})
    api.post("events", {"topic": "review.created", "data": {}})
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=seconds))
    return api


def test_healthz_needs_no_database() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_reports_the_database_the_workers_and_the_oldest_due_delivery() -> None:
    pump(age_seconds=3)
    overdue(seconds=90)
    body = Client().get("/readyz").json()
    assert (body["status"], body["database"], body["workers"]["status"]) == ("ok", "ok", "ok")
    assert 3 <= body["workers"]["age_seconds"] < 20
    assert 90 <= body["oldest_due_delivery"]["age_seconds"] < 110


@pytest.mark.django_db
def test_silent_workers_are_reported_and_take_no_web_process_out_of_service() -> None:
    assert Client().get("/readyz").json()["status"] == "degraded"
    pump(age_seconds=61)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["workers"]["status"]) == (200, "silent")


@pytest.mark.django_db
def test_readyz_is_a_503_without_a_database() -> None:
    with patch("deliveries.views.service.read_backlog", side_effect=OperationalError):
        response = Client().get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")


@pytest.mark.django_db
def test_metrics_are_off_unless_a_token_or_a_network_is_set(settings: Any) -> None:
    assert Client().get("/metrics").status_code == 404
    settings.WEBHOOKS_METRICS_TOKEN = "s3cret"
    assert Client().get("/metrics").status_code == 404
    assert Client(headers={"Authorization": "Bearer other"}).get("/metrics").status_code == 404
    assert Client(headers={"Authorization": "Bearer é"}).get("/metrics").status_code == 404
    assert Client(headers={"Authorization": "Bearer s3cret"}).get("/metrics").status_code == 200


@pytest.mark.django_db
def test_metrics_are_open_to_their_networks(settings: Any) -> None:
    settings.WEBHOOKS_METRICS_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("fd00::/8")]
    assert Client().get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="10.0.0.1").get("/metrics").status_code == 404
    assert Client(REMOTE_ADDR="").get("/metrics").status_code == 404


@pytest.mark.django_db
def test_metrics_count_what_waits_and_who_works(settings: Any) -> None:
    settings.WEBHOOKS_METRICS_TOKEN = "s3cret"
    pump(age_seconds=3)
    api = overdue(seconds=90)
    later = timezone.now() + timedelta(hours=1)
    for change in ({"lease_id": 7}, {"lease_id": 7}, {"next_attempt_at": later}):
        api.post("events", {"topic": "review.created", "data": {}})
        Delivery.objects.filter(pk=Delivery.objects.latest("pk").pk).update(**change)
    text = Client(headers={"Authorization": "Bearer s3cret"}).get("/metrics").content.decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(values["webhooks_deliveries_due"]) == 1
    assert float(values["webhooks_deliveries_in_flight"]) == 2
    assert float(values["webhooks_oldest_due_delivery_age_seconds"]) >= 90
    assert float(values["webhooks_pumps_live"]) == 0
    assert float(values["webhooks_pump_heartbeat_age_seconds"]) >= 3
    assert float(values['webhooks_endpoints{status="active"}']) == 1
    assert float(values['webhooks_attempts_recent{outcome="failed"}']) == 0
