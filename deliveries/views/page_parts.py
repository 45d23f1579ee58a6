"""What this app adds to pages of the portal that it does not own: webhooks, topics, audit log."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from deliveries.recovery import count_cancelled_by_stopping, find_missed_events
from deliveries.statistics.charts import outcome_chart
from deliveries.statistics.endpoint_health import read_health
from deliveries.statistics.traffic import find_period, read_traffic
from subscriptions.models import AuditEntry, Broadcaster, Endpoint, Topic
from subscriptions.models.broadcaster import Role
from subscriptions.portal import PortalRequest, at_least, page_parts
from subscriptions.portal.page_parts import Part

_CHART_PERIOD = "7d"
# The pages of what entries of the audit log are about, by the first word of the action.
_AUDIT_TARGETS = {"delivery": "deliveries:delivery-detail", "event": "deliveries:event-detail"}


def _can_edit(request: PortalRequest) -> bool:
    return at_least(request.role, Role.DEVELOPER)


@page_parts.ENDPOINT_ACTIONS.register
def test_button(request: PortalRequest, endpoints: Sequence[Endpoint]) -> Part | None:
    return Part("deliveries/_test_button.html") if _can_edit(request) else None


@page_parts.ENDPOINT_HEALTH.register
def health(request: PortalRequest, endpoints: Sequence[Endpoint]) -> Part:
    """One query for all of the list."""
    summaries = read_health(request.broadcaster, endpoints, timezone.now())
    return Part("deliveries/_endpoint_health.html", {"health": summaries})


@page_parts.ENDPOINT_MENU.register
def menu_links(request: PortalRequest, endpoints: Sequence[Endpoint]) -> Part:
    return Part("deliveries/_endpoint_menu.html")


@page_parts.ENDPOINT_TABS.register
def tabs(request: PortalRequest, endpoint: Endpoint) -> Part:
    return Part("deliveries/_endpoint_tabs.html")


@page_parts.ENDPOINT_STOPPED.register
def stopped_note(request: PortalRequest, endpoint: Endpoint) -> Part:
    return Part("deliveries/_endpoint_stopped.html")


@page_parts.ENDPOINT_STARTED.register
def missed_count(request: PortalRequest, endpoint: Endpoint) -> Part:
    missed = find_missed_events(endpoint)
    return Part("deliveries/_missed_in_row.html", {"count": missed.count if missed else None})


@page_parts.ENDPOINT_SECTIONS.register
def health_and_chart(request: PortalRequest, endpoint: Endpoint) -> Part:
    now = timezone.now()
    period = find_period(_CHART_PERIOD)
    traffic = read_traffic(request.broadcaster, period, now, endpoint=endpoint)
    context = {
        "health": read_health(request.broadcaster, [endpoint], now),
        "period": period,
        "traffic": traffic,
        "chart": outcome_chart(traffic.steps),
    }
    return Part("deliveries/_endpoint_sections.html", context)


@page_parts.ENDPOINT_OLD_TOKEN.register
def token_rehearsal(request: PortalRequest, endpoint: Endpoint) -> Part | None:
    return Part("deliveries/_token_rehearsal.html") if _can_edit(request) else None


@page_parts.ENDPOINT_VERIFYING.register
def debugger_link(request: PortalRequest, endpoint: Endpoint) -> Part:
    return Part("deliveries/_debugger_link.html")


@page_parts.ENDPOINTS_STOPPING.register
def cancellations(request: PortalRequest, endpoints: Sequence[Endpoint]) -> Part:
    """How many deliveries are cancelled if these are stopped."""
    count = count_cancelled_by_stopping(endpoints)
    if not count.number:
        text = "No delivery waits now, so none is cancelled."
    elif count.number == 1:
        text = "1 pending delivery is cancelled."
    else:
        text = f"{count.words} pending deliveries are cancelled."
    return Part("deliveries/_cancellations.html", {"cancellations": text})


@page_parts.TOPIC_FACTS.register
def last_event(request: PortalRequest, topic: Topic) -> Part:
    """The newest event of the topic. Index: event_page_topic."""
    events = request.broadcaster.events.filter(topic=topic.name)
    newest = events.defer("body").order_by("-pk").first()
    return Part("deliveries/_last_event.html", {"event": newest})


@page_parts.START_PAGE.register
def overview_url(broadcaster: Broadcaster) -> str:
    return reverse("deliveries:overview", args=[broadcaster.pk])


@page_parts.ENDPOINT_STARTED_PAGE.register
def missed_url(endpoint: Endpoint) -> str:
    """The page goes on to the webhook itself if nothing was missed."""
    ids = [endpoint.broadcaster_id, endpoint.public_id]
    return f"{reverse('deliveries:endpoint-missed', args=ids)}?after=start"


@page_parts.AUDIT_TARGET_PAGE.register
def audit_target_url(entry: AuditEntry) -> str:
    view_name = _AUDIT_TARGETS.get(entry.action.partition(".")[0])
    if view_name is None:
        return ""
    try:
        return reverse(view_name, args=[entry.broadcaster_id, entry.target])
    except NoReverseMatch:  # about several, or about none: the target is not an id
        return ""
