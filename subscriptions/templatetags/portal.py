"""What templates of the portal draw everywhere: icons, times, copy buttons, statuses, code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from subscriptions.audit import describe_action
from subscriptions.models import AuditEntry
from subscriptions.portal.display_preferences import read_zone
from subscriptions.portal.page_parts import Part

register = template.Library()
_ICONS = settings.BASE_DIR / "static" / "vendor" / "lucide"
# Short names that mean one zone only, and that browsers show too.
_UNAMBIGUOUS_ZONES = {"UTC", "GMT", "BST", "WET", "WEST", "CET", "CEST", "EET", "EEST"}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

# For each status of anything: its class, its icon and its word.
STATUSES: dict[str, tuple[str, str, str]] = {
    # endpoints
    "active": ("good", "circle-check", "Active"),
    "inactive": ("", "circle-pause", "Inactive"),
    "suspended": ("bad", "octagon-alert", "Suspended"),
    # deliveries and attempts
    "pending": ("info", "clock", "Pending"),
    "delivered": ("good", "circle-check", "Delivered"),
    "succeeded": ("good", "circle-check", "Succeeded"),
    "failed": ("bad", "circle-x", "Failed"),
    "cancelled": ("", "ban", "Cancelled"),
    "unknown": ("warn", "circle-help", "Unknown"),
    # jobs
    "running": ("info", "refresh-cw", "Running"),
    "done": ("good", "circle-check", "Done"),
    # tokens and invitations
    "revoked": ("", "ban", "Revoked"),
    "expired": ("", "timer", "Expired"),
    "invited": ("info", "mail", "Invited"),
}


@lru_cache(maxsize=256)
def _icon_format(name: str) -> str:
    """The icon's file as a format string, with a place for its label; our own size and class."""
    text = (_ICONS / f"{name}.svg").read_text(encoding="utf-8")
    drawing = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    return (
        '<svg class="icon" {} viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
        + re.sub(r"\s*\n\s*", "", drawing)
        + "</svg>"
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Lucide icon, inline. Decoration unless it has a label."""
    hidden = mark_safe('aria-hidden="true"')
    label_html = format_html('role="img" aria-label="{}"', label) if label else hidden
    return format_html(_icon_format(name), label_html)


def relative_words(value: datetime, now: datetime) -> str:
    """`3 minutes ago`, `in 2 hours`, `now`: in the largest whole unit, as in portal.js."""
    seconds = int((value - now).total_seconds())
    unit, size = next((u for u in _UNITS if abs(seconds) >= u[1]), _UNITS[-1])
    count = abs(seconds) // size
    if count == 0:
        return "now"
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds < 0 else f"in {words}"


def absolute_words(value: datetime, zone: tzinfo = UTC, *, to: str = "second") -> str:
    """`21 Nov 2026, 05:46:10 CET`, as in portal.js; `to` "minute" leaves the seconds out."""
    value = value.astimezone(zone)
    clock = "%H:%M" if to == "minute" else "%H:%M:%S"
    return f"{value.day} {value:%b %Y}, {value:{clock}} {_zone_words(value)}"


def _zone_words(value: datetime) -> str:
    """`CET`, or `GMT+5:30` if the zone has no short name of its own."""
    name = value.tzname() or ""
    if name in _UNAMBIGUOUS_ZONES:
        return name
    minutes = int((value.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"GMT{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "GMT"


@register.simple_tag(takes_context=True)
def time_tag(
    context: template.Context, value: datetime | None, style: str = "both", to: str = "second"
) -> SafeString:
    """A moment, absolute and relative; style "absolute" or "relative" shows one of them.

    In the zone that the request tells. portal.js keeps the relative part up to date, and corrects
    the absolute one if the browser's zone is another.
    """
    if value is None:
        return mark_safe('<span class="muted">never</span>')
    request = getattr(context, "request", None)
    zone = read_zone(request) if request else UTC
    parts = []
    if style != "relative":
        absolute = absolute_words(value, zone, to=to)
        parts.append(format_html('<span class="t-abs" data-to="{}">{}</span>', to, absolute))
    if style != "absolute":
        relative = relative_words(value, timezone.now())
        parts.append(format_html('<span class="t-rel">{}</span>', relative))
    return format_html(
        '<time datetime="{}" data-live title="{}">{}</time>',
        value.astimezone(UTC).isoformat(timespec="milliseconds"),
        absolute_words(value),
        format_html_join(" ", "{}", ((part,) for part in parts)),
    )


@register.simple_tag
def copy_button(value: object, label: str = "Copy", word: str = "") -> SafeString:
    """A button that copies the value; `label` is its accessible name, `word` its visible text."""
    shown = format_html('<span class="copy-word">{}</span>', word) if word else ""
    return format_html(
        '<button type="button" class="btn-copy js-only{}" data-copy="{}" aria-label="{}" '
        'title="{}">{}{}</button>',
        " labelled" if word else "",
        value,
        label,
        label,
        icon("copy"),
        shown,
    )


@register.simple_tag
def copy_from_button(element_id: str, label: str = "Copy") -> SafeString:
    """A button that copies the text of an element of the page."""
    return format_html(
        '<button type="button" class="btn-copy js-only" data-copy-from="{}" aria-label="{}" '
        'title="{}">{}</button>',
        element_id,
        label,
        label,
        icon("copy"),
    )


@register.simple_tag
def status_badge(status: str, word: str = "") -> SafeString:
    """A status as an icon and a word: its own, or `word`."""
    default = ("", "circle", str(status).capitalize())
    kind, icon_name, status_word = STATUSES.get(str(status), default)
    html = '<span class="badge-word {}">{}{}</span>'
    return format_html(html, kind, icon(icon_name), word or status_word)


@register.filter
def highlight(text: str, language: str = "json") -> SafeString:
    """Code as HTML spans; the classes are in portal.css under `.hl`."""
    lexer = get_lexer_by_name(
        language, stripnl=False, **({"startinline": True} if language == "php" else {})
    )
    html: str = pygments_highlight(text, lexer, HtmlFormatter(nowrap=True))
    return mark_safe(html)  # noqa: S308  pygments escapes the text


@register.filter
def pretty_json(value: Any) -> str:
    """A JSON value, or the text of one, indented for reading; other text as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2)


@register.filter
def item(mapping: Mapping[Any, Any], key: object) -> Any:
    """The value of a key; "" if there is none."""
    return mapping.get(key, "")


@register.simple_tag(takes_context=True)
def page_parts(context: template.Context, parts: Iterable[Part]) -> SafeString:
    """Draw what other apps add to this place of the page."""
    engine = template.Engine.get_default()
    drawn = []
    for part in parts:
        with context.push(**part.context):
            drawn.append((engine.get_template(part.template).render(context),))
    return format_html_join("", "{}", drawn)


register.filter("action_words", describe_action)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


@register.filter
def changes(entry: AuditEntry) -> list[tuple[str, str | None, str | None]]:
    """For each field that changed: its name, and its texts before and after, if it had one."""
    before, after = entry.before or {}, entry.after or {}
    names = dict.fromkeys([*before, *after])
    return [(name, _as_text(before.get(name)), _as_text(after.get(name))) for name in names]


@register.filter
def with_class(field: BoundField, name: str) -> SafeString:
    """A field of a form that is not ours, its widget with a CSS class."""
    return field.as_widget(attrs={"class": name})
