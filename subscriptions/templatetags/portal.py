"""What templates draw everywhere: icons, times, copy buttons, states, code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from subscriptions.audit import describe_action
from subscriptions.models import AuditEntry
from subscriptions.portal.display_preferences import zone_of

register = template.Library()
_ICONS = settings.BASE_DIR / "static" / "vendor" / "lucide"
# Short names that browsers use too, and that mean one zone.
_KNOWN_ZONES = {"UTC", "GMT", "BST", "WET", "WEST", "CET", "CEST", "EET", "EEST"}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

# Of anything that has a status: its class, its icon, its word.
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
def _svg(name: str) -> str:
    """The drawing inside the icon's file: comment, size and class are left out."""
    text = (_ICONS / f"{name}.svg").read_text(encoding="utf-8")
    inner = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    return re.sub(r"\s*\n\s*", "", inner)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Lucide icon, inline. Decoration unless it has a label."""
    said = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return mark_safe(  # noqa: S308  our own files; the label is escaped above  # nosec B308 B703
        f'<svg class="icon" {said} viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{_svg(name)}</svg>'
    )


def relative_words(value: datetime, now: datetime) -> str:
    """`3 minutes ago`, `in 2 hours`, `now`: the largest whole unit. portal.js says the same."""
    seconds = int((value - now).total_seconds())
    unit, size = next((u for u in _UNITS if abs(seconds) >= u[1]), _UNITS[-1])
    count = abs(seconds) // size
    if count == 0:
        return "now"
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds < 0 else f"in {words}"


def absolute_words(value: datetime, zone: tzinfo = UTC, *, to: str = "second") -> str:
    """`21 Nov 2026, 05:46:10 CET`; `to` "minute" leaves the seconds out. portal.js says the same."""
    value = value.astimezone(zone)
    clock = "%H:%M" if to == "minute" else "%H:%M:%S"
    return f"{value.day} {value:%b %Y}, {value:{clock}} {_zone_words(value)}"


def _zone_words(value: datetime) -> str:
    """`CET`, or `GMT+5:30` where the short name means several zones or is none."""
    name = value.tzname() or ""
    if name in _KNOWN_ZONES:
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

    In the viewer's zone as far as the request tells; portal.js keeps the relative part live, and
    corrects the zone where the browser's is another.
    """
    if value is None:
        return mark_safe('<span class="muted">never</span>')  # our own text  # nosec B308
    request = getattr(context, "request", None)
    zone = zone_of(request) if request else UTC
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
        mark_safe(" ".join(parts)),  # noqa: S308  escaped by format_html above  # nosec B308 B703
    )


@register.simple_tag
def copy_button(value: object, label: str = "Copy", word: str = "") -> SafeString:
    """A button that copies the value; `label` is what it is called, `word` what it shows."""
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
    """As copy_button, for the text of an element of the page."""
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
    """A status as an icon and a word."""
    kind, name, usual = STATUSES.get(str(status), ("", "circle", str(status).capitalize()))
    return format_html('<span class="badge-word {}">{}{}</span>', kind, icon(name), word or usual)


@register.filter
def highlight(text: str, language: str = "json") -> SafeString:
    """Code as HTML spans; the classes are in portal.css under `.hl`."""
    lexer = get_lexer_by_name(
        language, stripnl=False, **({"startinline": True} if language == "php" else {})
    )
    html: str = pygments_highlight(text, lexer, HtmlFormatter(nowrap=True))
    return mark_safe(html)  # noqa: S308  pygments escapes the text  # nosec B308 B703


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
def item(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key, "")


register.filter("action_words", describe_action)


def _plain(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


@register.filter
def changes(entry: AuditEntry) -> list[tuple[str, str | None, str | None]]:
    """Field, text before (None where it was not there), text after."""
    before, after = entry.before or {}, entry.after or {}
    names = dict.fromkeys([*before, *after])
    return [(name, _plain(before.get(name)), _plain(after.get(name))) for name in names]


@register.filter
def with_class(field: BoundField, name: str) -> SafeString:
    """A field of someone else's form, its widget with a class."""
    return field.as_widget(attrs={"class": name})
