"""Places in the pages of this app that other apps fill, and pages of theirs that it leads to.

This app knows no app above it: it has the places, and an app above registers a function for each
that it fills. A view collects the parts once for its page, however many rows that has, and the
template draws them with `{% page_parts parts %}`, so no query is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from subscriptions.models import AuditEntry, Broadcaster, Endpoint, Topic
from subscriptions.portal.access import PortalRequest

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Part:
    """A template of another app, with what it needs besides the context of the page."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


class PageSlot(Generic[Subject]):
    """A place in a page, or in each row of a list. What is registered first is drawn first."""

    def __init__(self) -> None:
        self._makers: list[Callable[[PortalRequest, Subject], Part | None]] = []

    def register(
        self, make_part: Callable[[PortalRequest, Subject], Part | None]
    ) -> Callable[[PortalRequest, Subject], Part | None]:
        """Decorate a function of the request and what the page is about; None draws nothing."""
        self._makers.append(make_part)
        return make_part

    def collect(self, request: PortalRequest, subject: Subject) -> list[Part]:
        parts = [make_part(request, subject) for make_part in self._makers]
        return [part for part in parts if part is not None]


class PageLink(Generic[Subject]):
    """A page of another app that pages of this one lead to."""

    def __init__(self) -> None:
        self._makers: list[Callable[[Subject], str]] = []

    def register(self, make_url: Callable[[Subject], str]) -> Callable[[Subject], str]:
        """Decorate a function that gives the URL for a subject, or "" if it has no page for it."""
        self._makers.append(make_url)
        return make_url

    def url(self, subject: Subject) -> str:
        """The first URL that is given; "" if none is."""
        return next(filter(None, (make_url(subject) for make_url in self._makers)), "")


# These are drawn once for each webhook that a page shows, with it as `endpoint`.
ENDPOINT_ACTIONS = PageSlot[Sequence[Endpoint]]()  # buttons; `in_row` asks for small ones
ENDPOINT_HEALTH = PageSlot[Sequence[Endpoint]]()  # the column of the list
ENDPOINT_MENU = PageSlot[Sequence[Endpoint]]()  # links in the menu of a row

# The page of one webhook, which templates have as `endpoint`.
ENDPOINT_TABS = PageSlot[Endpoint]()  # between Overview and Token; `tab` is the current one
ENDPOINT_STOPPED = PageSlot[Endpoint]()  # in the note that says why nothing is sent
ENDPOINT_STARTED = PageSlot[Endpoint]()  # in its row, when it was just switched on or resumed
ENDPOINT_SECTIONS = PageSlot[Endpoint]()  # at the top of its page
ENDPOINT_OLD_TOKEN = PageSlot[Endpoint]()  # below its tokens, while an old one is good
ENDPOINT_VERIFYING = PageSlot[Endpoint]()  # above the code that verifies its signature

ENDPOINTS_STOPPING = PageSlot[Sequence[Endpoint]]()  # in the question whether to stop them
TOPIC_FACTS = PageSlot[Topic]()  # pairs of <dt> and <dd> on a topic's page

START_PAGE = PageLink[Broadcaster]()
ENDPOINT_STARTED_PAGE = PageLink[Endpoint]()  # after it was switched on or resumed
AUDIT_TARGET_PAGE = PageLink[AuditEntry]()  # the page of what an entry is about
