"""How a viewer wants pages: theme and time zone, kept in cookies of their browser."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest

THEMES = ("light", "dark", "system")
THEME_COOKIE = "theme"
# portal.js sets it; without JavaScript there is none, and times are in UTC.
ZONE_COOKIE = "zone"
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def theme_of(request: HttpRequest) -> str:
    wanted = request.COOKIES.get(THEME_COOKIE, "")
    return wanted if wanted in THEMES else "system"


def zone_named(name: str) -> tzinfo | None:
    """None where there is no such zone."""
    if name == "UTC":
        return UTC
    if not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a folder of zones is an OSError
        return None


def zone_of(request: HttpRequest) -> tzinfo:
    """The zone that pages show times in: UTC where the viewer chose it, or none is known."""
    if getattr(getattr(request, "user", None), "use_utc", False):
        return UTC
    return zone_named(request.COOKIES.get(ZONE_COOKIE, "")) or UTC
