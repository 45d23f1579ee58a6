"""What templates say about deliveries, attempts and the health of webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from deliveries.diagnosis import failure as failure_names
from deliveries.event_log import bodies
from deliveries.models import Event
from deliveries.recovery.missed_events import Count, ended_by_stopping, read_missed
from deliveries.statistics.charts import outcome_chart
from deliveries.statistics.endpoint_health import HealthSummary, read_health
from deliveries.statistics.traffic import period_named, read_traffic
from subscriptions.models import Endpoint, Topic
from subscriptions.templatetags.portal import status_badge

register = template.Library()


@register.simple_tag(takes_context=True)
def endpoint_health(
    context: template.Context, endpoints: Iterable[Endpoint]
) -> dict[int, HealthSummary]:
    """`{% endpoint_health endpoints as health %}`: by primary key, one query for the list.

    Endpoints of another broadcaster than the page's are left out.
    """
    return read_health(context["broadcaster"], endpoints, timezone.now())


@register.inclusion_tag("deliveries/_endpoint_health.html", takes_context=True)
def health_of(
    context: template.Context, endpoint: Endpoint, health: dict[int, HealthSummary] | None = None
) -> dict[str, Any]:
    """`{% health_of endpoint health %}`: sparkline of 24 hours, last success, next retry due.

    Without `health` it is read for this endpoint alone.
    """
    if not isinstance(health, dict):
        health = endpoint_health(context, [endpoint])
    return {"summary": health.get(endpoint.pk), "endpoint": endpoint}


@register.inclusion_tag("deliveries/_outcome_chart.html", takes_context=True)
def chart_of(context: template.Context, endpoint: Endpoint) -> dict[str, Any]:
    """`{% chart_of endpoint %}`: its requests by outcome in the last 7 days, with a table twin."""
    period = period_named("7d")
    traffic = read_traffic(context["broadcaster"], period, timezone.now(), endpoint=endpoint)
    return {"period": period, "traffic": traffic, "chart": outcome_chart(traffic.steps)}


@register.simple_tag(takes_context=True)
def last_event(context: template.Context, topic: Topic) -> Event | None:
    """`{% last_event topic as event %}`: the newest of the broadcaster. Index: event_page_topic."""
    mine = Event.objects.for_broadcaster(context["broadcaster"]).filter(topic=topic.name)
    return mine.defer("body").order_by("-pk").first()


@register.simple_tag
def cancelled_words(endpoints: Iterable[Endpoint]) -> str:
    """What becomes of the deliveries that wait for these, should they be stopped."""
    count = ended_by_stopping(endpoints)
    if not count.number:
        return "No delivery waits now, so none is cancelled."
    if count.number == 1:
        return "1 pending delivery is cancelled."
    return f"{count.words} pending deliveries are cancelled."


@register.inclusion_tag("deliveries/_missed_in_row.html")
def missed_by(endpoint: Endpoint) -> dict[str, Any]:
    """`{% missed_by endpoint %}`: how many events it missed, with the way to their replay."""
    missed = read_missed(endpoint)
    return {"endpoint": endpoint, "count": missed.count if missed else Count(0, is_more=False)}


@register.simple_tag
def count_badge(status: str, count: int) -> SafeString:
    """A status with how many there are of it: `2 failed`."""
    return status_badge(status, f"{count:,} {status}")


@register.filter
def duration(ms: float | None) -> str:
    """`84 ms`, `1.2 s`, `30 s`; "" for None."""
    if ms is None:
        return ""
    if ms < 1:
        return "under 1 ms"
    if ms < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.1f} s" if ms < 10_000 else f"{ms / 1_000:.0f} s"


@register.filter
def percent(value: float | None) -> str:
    """One digit after the point, never rounded to a bound that is not reached; "" for None."""
    if value is None:
        return ""
    if 0 < value < 0.1:
        return "under 0.1 %"
    if 99.9 < value < 100:
        return "over 99.9 %"
    return f"{value:.1f} %".replace(".0 %", " %")


@register.filter
def failure_name(failure: str) -> str:
    return failure_names.failure_name(failure)


@register.filter
def status_words(code: int | None) -> str:
    """`404 Not Found`; the code alone where it has no name."""
    if code is None:
        return ""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


@register.filter
def visible(text: str) -> str:
    """A stranger's text with characters that do not show named in their place."""
    return bodies.visible(text)


@register.filter
def before_dot(value: float) -> str:
    """A number for an SVG attribute, whatever the locale."""
    return f"{value:g}"
