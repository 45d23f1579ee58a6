"""What the frame of every portal page needs: broadcaster, role, menu, theme and time zone."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from django.http import HttpRequest

from subscriptions.models import Broadcaster, Member
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import PortalRequest, at_least
from subscriptions.portal.display_preferences import read_theme, read_zone
from subscriptions.portal.menu import menu_for, twin_url


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Outside a broadcaster's pages there are only theme and zone."""
    # A request that was refused before the session was read, as for a wrong host, has no user.
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "use_utc": getattr(user, "use_utc", False),
        "shown_zone": read_zone(request),
        "theme": read_theme(request),
    }
    broadcaster: Broadcaster | None = getattr(request, "broadcaster", None)
    if broadcaster is None:
        return context
    role = cast(PortalRequest, request).role
    match = request.resolver_match
    twin = broadcaster.twin
    sandbox = broadcaster if broadcaster.is_sandbox else twin
    return context | {
        "broadcaster": broadcaster,
        "platform": broadcaster.platform,
        "twin": twin,
        "live_url": twin_url(broadcaster.live or broadcaster, match, role),
        "sandbox_url": twin_url(sandbox, match, role) if sandbox else "",
        "role": role,
        "can_edit": at_least(role, Role.DEVELOPER),
        "is_owner": role == Role.OWNER,
        "menu": lambda: menu_for(broadcaster, role, match.view_name if match else ""),
        "my_broadcasters": _list_broadcasters(request),
    }


def _list_broadcasters(request: HttpRequest) -> Callable[[], list[Broadcaster]]:
    # Templates call it where they draw the frame, so a fragment costs no query for it.
    @lru_cache(maxsize=1)
    def fetch() -> list[Broadcaster]:
        members = Member.objects.filter(user_id=request.user.pk or 0)
        return [m.broadcaster for m in members.select_related("broadcaster__platform")[:50]]

    return fetch
