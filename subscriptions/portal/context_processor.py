"""What every portal page's frame needs: the broadcaster, the role, the menu, the zone of times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import NoReverseMatch, ResolverMatch, reverse

from subscriptions.models import Broadcaster, Member
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import at_least
from subscriptions.portal.display_preferences import theme_of, zone_of


class Page(NamedTuple):
    label: str
    icon: str
    view: str  # name of its URL
    family: str  # names of URLs that start with this are below it
    role: Role = Role.VIEWER


MENU: tuple[tuple[str, tuple[Page, ...]], ...] = (
    ("", (Page("Overview", "layout-dashboard", "deliveries:overview", "deliveries:overview"),)),
    (
        "Developer",
        (
            Page("Webhooks", "webhook", "subscriptions:endpoint-list", "subscriptions:endpoint"),
            Page("Events", "zap", "deliveries:event-list", "deliveries:event"),
            Page("Event logs", "scroll-text", "deliveries:delivery-list", "deliveries:delivery"),
            Page("Replays", "history", "deliveries:replay-list", "deliveries:replay"),
            Page("Topics", "tags", "subscriptions:topic-list", "subscriptions:topic"),
            Page(
                "Test console",
                "flask-conical",
                "deliveries:test-console",
                "deliveries:test",
                Role.DEVELOPER,
            ),
            Page("Request bin", "inbox", "deliveries:request-bin", "deliveries:request-bin"),
            Page(
                "Signature debugger",
                "shield-check",
                "deliveries:signature-debugger",
                "deliveries:signature",
            ),
            Page(
                "Publisher tokens",
                "key-round",
                "subscriptions:publisher-token-list",
                "subscriptions:publisher-token",
            ),
        ),
    ),
    (
        "Settings",
        (
            Page("Team", "users", "subscriptions:member-list", "subscriptions:member"),
            Page("Alerts", "bell", "deliveries:alert-list", "deliveries:alert"),
            Page(
                "Audit log", "history", "subscriptions:audit-log", "subscriptions:audit", Role.OWNER
            ),
            Page("Account", "circle-user", "subscriptions:account", "subscriptions:account"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    entries: list[Entry]


def page_url(view: str, broadcaster: Broadcaster) -> str | None:
    """The URL of a list page of this broadcaster; None where there is no such page."""
    try:
        return reverse(view, args=[broadcaster.pk])
    except NoReverseMatch:
        return None


def _view_name(match: ResolverMatch | None) -> str:
    return match.view_name if match else ""


def menu_for(broadcaster: Broadcaster, role: Role, view: str) -> list[Section]:
    """The pages that exist and that the role may see."""
    sections = []
    for title, pages in MENU:
        entries = [
            Entry(page.label, page.icon, url, _is_below(view, page.family))
            for page in pages
            if at_least(role, page.role) and (url := page_url(page.view, broadcaster))
        ]
        if entries:
            sections.append(Section(title, entries))
    return sections


def _is_below(view: str, family: str) -> bool:
    return view == family or view.startswith(f"{family}-")


def twin_url(twin: Broadcaster, match: ResolverMatch | None, role: Role) -> str:
    """The same page of the twin, or the list above it: another broadcaster has other objects.

    For a role that may not see that list, the webhooks.
    """
    view = _view_name(match)
    if match and set(match.kwargs) == {"broadcaster_id"}:
        return page_url(view, twin) or "/"
    for _, pages in MENU:
        for page in pages:
            if _is_below(view, page.family) and at_least(role, page.role):
                return page_url(page.view, twin) or "/"
    return page_url("subscriptions:endpoint-list", twin) or "/"


def _broadcasters_of(request: HttpRequest) -> Callable[[], list[Broadcaster]]:
    # Called by the frame alone: a fragment costs no query for it.
    @lru_cache(maxsize=1)
    def fetch() -> list[Broadcaster]:
        members = Member.objects.filter(user_id=request.user.pk or 0)
        return [m.broadcaster for m in members.select_related("broadcaster__platform")[:50]]

    return fetch


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Outside a broadcaster's pages there are only theme and zone."""
    # A request refused before it came to the sessions, as one for another host, has no user.
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "use_utc": getattr(user, "use_utc", False),
        "shown_zone": zone_of(request),
        "theme": theme_of(request),
    }
    broadcaster: Broadcaster | None = getattr(request, "broadcaster", None)
    if broadcaster is None:
        return context
    role: Role = request.role  # type: ignore[attr-defined]  # set with the broadcaster
    match = request.resolver_match
    twin = broadcaster.twin
    return context | {
        "broadcaster": broadcaster,
        "platform": broadcaster.platform,
        "twin": twin,
        "live_url": twin_url(broadcaster.live or broadcaster, match, role),
        "sandbox_url": twin_url(broadcaster if broadcaster.is_sandbox else twin, match, role)
        if twin
        else "",
        "role": role,
        "can_edit": at_least(role, Role.DEVELOPER),
        "is_owner": role == Role.OWNER,
        "menu": lambda: menu_for(broadcaster, role, _view_name(match)),
        "my_broadcasters": _broadcasters_of(request),
    }
