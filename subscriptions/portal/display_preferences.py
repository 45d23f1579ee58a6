"""How a viewer wants pages: theme and time zone, stored in cookies of their browser."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest

THEMES = ("light", "dark", "system")
THEME_COOKIE = "theme"
# portal.js sets this cookie; without JavaScript there is none, and times are shown in UTC.
ZONE_COOKIE = "zone"
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def read_theme(request: HttpRequest) -> str:
    """The theme that the viewer chose; "system" if they chose none."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in THEMES else "system"


def find_zone(name: str) -> tzinfo | None:
    """The time zone of this IANA name; None if there is no such zone."""
    if name == "UTC":
        return UTC
    if not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        # The name of a folder of the zone database, such as "Europe", raises an OSError.
        return None


def read_zone(request: HttpRequest) -> tzinfo:
    """The zone that pages show times in: UTC if the viewer chose it, or if no zone is known."""
    if getattr(getattr(request, "user", None), "use_utc", False):
        return UTC
    return find_zone(request.COOKIES.get(ZONE_COOKIE, "")) or UTC
