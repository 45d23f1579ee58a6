"""How templates write durations, shares, failures, response statuses and strangers' text."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deliveries.diagnosis import failure as failure_names
from deliveries.event_log import bodies
from deliveries.statistics.charts import Bar
from subscriptions.templatetags.portal import status_badge

register = template.Library()


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
    return bodies.reveal_unseen(text)


@register.simple_tag
def svg_bars(bars: Iterable[Bar], class_prefix: str) -> SafeString:
    """The bars of a chart as SVG rectangles; their kind, after the prefix, is their class."""
    return format_html_join(
        "",
        '<rect class="{}{}" x="{}" y="{}" width="{}" height="{}"/>',
        (
            (class_prefix, bar.kind, *map(before_dot, (bar.x, bar.y, bar.width, bar.height)))
            for bar in bars
        ),
    )


@register.simple_tag
def swatch(kind: str) -> SafeString:
    """The colour of a kind of outcome, in the legend of a chart."""
    return format_html(
        '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        '<rect class="c-{}" width="10" height="10" rx="2"/></svg>',
        kind,
    )


@register.filter
def before_dot(value: float) -> str:
    """A number for an SVG attribute, whatever the locale."""
    return f"{value:g}"
