"""The menu beside every page of a broadcaster: each app registers the pages it puts there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from django.urls import ResolverMatch, reverse

from subscriptions.models import Broadcaster
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import at_least


class MenuSection(Enum):
    """The sections from the top down; a value is the section's title."""

    OVERVIEW = ""
    DEVELOPER = "Developer"
    SETTINGS = "Settings"


@dataclass(frozen=True, slots=True)
class MenuPage:
    """A page in the menu: its URL takes a broadcaster's id and nothing else.

    `position` orders the pages of a section, across apps. The page is shown as the current one on
    `view_name` and on every view whose name is `family` or begins with `family` and a hyphen.
    """

    label: str
    icon: str
    section: MenuSection
    position: int
    view_name: str
    family: str
    role: Role = Role.VIEWER

    def url(self, broadcaster: Broadcaster) -> str:
        return reverse(self.view_name, args=[broadcaster.pk])

    def is_above(self, view_name: str) -> bool:
        return view_name == self.family or view_name.startswith(f"{self.family}-")


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as one viewer sees it in the menu."""

    label: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    entries: list[Entry]


_pages: list[MenuPage] = []


def register_menu_pages(*pages: MenuPage) -> None:
    """Called once by each app, when it is ready."""
    _pages.extend(pages)
    sections = list(MenuSection)
    _pages.sort(key=lambda page: (sections.index(page.section), page.position))


def menu_for(broadcaster: Broadcaster, role: Role, view_name: str) -> list[Section]:
    """The sections with the pages that this role may open; sections without any are left out."""
    sections = []
    for section in MenuSection:
        entries = [
            Entry(page.label, page.icon, page.url(broadcaster), page.is_above(view_name))
            for page in _pages_for(role)
            if page.section == section
        ]
        if entries:
            sections.append(Section(section.value, entries))
    return sections


def _pages_for(role: Role) -> Iterator[MenuPage]:
    return (page for page in _pages if at_least(role, page.role))


def twin_url(twin: Broadcaster, match: ResolverMatch | None, role: Role) -> str:
    """The same page of the twin, or the menu's page above it: its objects are others.

    The list of webhooks for a role that may not open the page above.
    """
    if match and set(match.kwargs) == {"broadcaster_id"}:
        return reverse(match.view_name, args=[twin.pk])
    view_name = match.view_name if match else ""
    for page in _pages_for(role):
        if page.is_above(view_name):
            return page.url(twin)
    return reverse("subscriptions:endpoint-list", args=[twin.pk])
