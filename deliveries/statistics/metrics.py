"""The metrics for Prometheus, counted in the database, so that any web process can give them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Q, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from deliveries.models import Delivery, DeliveryStatus, EndpointHour, Pump
from deliveries.statistics.backlog import read_backlog
from subscriptions.models import Endpoint

__all__ = ["CONTENT_TYPE_LATEST", "render_metrics"]


def render_metrics() -> bytes:
    registry = CollectorRegistry()
    registry.register(_PortalCollector())
    return generate_latest(registry)


class _PortalCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from _queue()
        yield _attempts()
        yield _endpoints()

    def describe(self) -> list[Metric]:
        return []  # otherwise registering would call collect, which queries the database


def _queue() -> Iterator[Metric]:
    now = timezone.now()
    backlog = read_backlog(now)
    # What is in flight was due when it was claimed, so what is planned for later need not be read.
    due = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=now)
    counts = due.aggregate(all=Count("pk"), in_flight=Count("lease_id"))
    yield GaugeMetricFamily(
        "webhooks_deliveries_due",
        "Deliveries whose time has come and that no worker has taken.",
        value=counts["all"] - counts["in_flight"],
    )
    yield GaugeMetricFamily(
        "webhooks_deliveries_in_flight",
        "Deliveries that a worker is sending.",
        value=counts["in_flight"],
    )
    yield GaugeMetricFamily(
        "webhooks_oldest_due_delivery_age_seconds",
        "How long the oldest due delivery has waited; 0: none waits.",
        value=backlog.oldest_due_seconds,
    )
    yield GaugeMetricFamily(
        "webhooks_pumps_live",
        "Dispatching workers that hold a lease.",
        value=Pump.objects.live(now).count(),
    )
    if backlog.heartbeat_age_seconds is not None:
        yield GaugeMetricFamily(
            "webhooks_pump_heartbeat_age_seconds",
            "Time since any dispatching worker's last sign of life.",
            value=backlog.heartbeat_age_seconds,
        )


def _attempts() -> Metric:
    """Gauges over the last full hour and the current one: rows are deleted when they are old."""
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = EndpointHour.objects.filter(hour__gte=this_hour - timedelta(hours=1))
    outcomes = ("succeeded", "failed", "unknown")
    sums = hours.aggregate(**{outcome: Sum(outcome, default=0) for outcome in outcomes})
    family = GaugeMetricFamily(
        "webhooks_attempts_recent",
        "Attempts since the start of the last full hour.",
        labels=["outcome"],
    )
    for outcome in outcomes:
        family.add_metric([outcome], sums[outcome])
    return family


def _endpoints() -> Metric:
    counts = Endpoint.objects.filter(deleted_at=None).aggregate(
        count_active=Count("pk", filter=Q(active=True, suspended_at=None)),
        count_inactive=Count("pk", filter=Q(active=False)),
        count_suspended=Count("pk", filter=Q(active=True, suspended_at__isnull=False)),
    )
    family = GaugeMetricFamily("webhooks_endpoints", "Endpoints by status.", labels=["status"])
    for name, count in counts.items():
        family.add_metric([name.removeprefix("count_")], count)
    return family
