"""Choosing the theme: light, dark, or what the viewer's system prefers."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from subscriptions.portal import PortalRequest, redirect_back
from subscriptions.portal.display_preferences import THEME_COOKIE, THEMES

_YEAR_SECONDS = 365 * 24 * 3600


@require_POST
def set_theme(request: PortalRequest) -> HttpResponse:
    """POST theme=light, dark or system. A cookie keeps it, so that the sign-in pages follow too."""
    response = redirect_back(request, "/")
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=_YEAR_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
