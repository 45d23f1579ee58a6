"""Events: what was published, where it went, and where it did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from deliveries.event_log import EventLogForm, render_body, should_continue
from deliveries.models import Delivery, DeliveryStatus, Event
from deliveries.recovery import deliver_to_unreached_endpoint, find_unreached_endpoints, resend
from subscriptions.errors import Conflict
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal import PortalRequest, broadcaster_page, confirm, page, redirect_back
from subscriptions.portal.display_preferences import read_zone

# An event goes to every endpoint that wants its topic; its page shows the newest deliveries only.
MAX_SHOWN_DELIVERIES = 200


@broadcaster_page()
@require_safe
def event_list(request: PortalRequest) -> HttpResponse:
    form = EventLogForm(request.GET, request.broadcaster, viewer_zone=read_zone(request))
    cursor = request.GET.get("cursor", "")
    found = form.page(cursor)
    here = reverse("deliveries:event-list", args=[request.broadcaster.pk])
    query = form.without()
    status_counts = _count_statuses(found.rows)
    older = "&".join(filter(None, [query, f"cursor={found.next_cursor}"]))
    continues, next_page_number = should_continue(request.headers)
    context: dict[str, Any] = {
        "form": form,
        "page": found,
        "rows": [(event, status_counts.get(event.pk, [])) for event in found.rows],
        "query": query,
        "is_first": not cursor,
        "first_url": f"{here}?{query}" if cursor else "",
        "older_url": f"{here}?{older}" if found.next_cursor else "",
        "clear_url": here,
        "continues": continues,
        "next_page_number": next_page_number,
    }
    return page(
        request, "deliveries/event_list.html", context, fragment="deliveries/_event_rows.html"
    )


def _count_statuses(events: Sequence[Event]) -> dict[UUID, list[tuple[str, int]]]:
    """For each event, by primary key, the statuses of its deliveries and how many have each."""
    pairs = Delivery.objects.filter(event__in=[event.pk for event in events])
    counts: dict[UUID, Counter[str]] = {}
    for event_pk, status in pairs.values_list("event_id", "status"):
        counts.setdefault(event_pk, Counter())[status] += 1
    return {
        pk: [(status, count[status]) for status in DeliveryStatus.values if count[status]]
        for pk, count in counts.items()
    }


def event_or_404(request: PortalRequest, event_id: str) -> Event:
    event = request.broadcaster.events.filter(event_id=event_id).first()
    if event is None:
        raise Http404(f"No event {event_id} in this broadcaster.")
    return event


def _deliveries(event: Event) -> list[Delivery]:
    rows = event.deliveries.select_related("endpoint").order_by("-pk")
    deliveries = list(rows[:MAX_SHOWN_DELIVERIES])
    for delivery in deliveries:
        delivery.broadcaster = event.broadcaster
    return deliveries


@broadcaster_page()
@require_safe
def event_detail(request: PortalRequest, event_id: str) -> HttpResponse:
    event = event_or_404(request, event_id)
    missing = find_unreached_endpoints(request.broadcaster, event)
    context = {
        "event": event,
        "deliveries": _deliveries(event),
        "max_deliveries": MAX_SHOWN_DELIVERIES,
        "missing": missing,
        "body": render_body(event.body.encode(), request.broadcaster.rules.content_type),
    }
    return page(request, "deliveries/event_detail.html", context)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def event_resend(request: PortalRequest, event_id: str) -> HttpResponse:
    """POST sends it again to the webhook `endpoint`, or to all that got or missed it.

    GET asks first.
    """
    event = event_or_404(request, event_id)
    here = reverse("deliveries:event-detail", args=[request.broadcaster.pk, event.event_id])
    if request.method == "GET":
        return confirm(
            request,
            title="Resend to all webhooks?",
            text="One attempt is made now for each webhook that this event was for, with the same "
            "id and the same body. Active webhooks that missed it get it with the usual retries.",
            detail=f"{event.topic} {event.event_id}",
            action=request.path,
            button="Resend to all",
            back=here,
        )
    only = request.POST.get("endpoint", "")
    queued, refused = _send_again(request, event, only)
    if queued:
        messages.info(request, f"Queued: {queued} attempt{'' if queued == 1 else 's'}, sent now.")
    if refused:
        messages.warning(request, f"{len(refused)} not queued: {refused[0].detail}")
    if not queued and not refused:
        messages.warning(request, "Nothing was queued: no webhook wants this topic.")
    return redirect_back(request, here)


def _send_again(request: PortalRequest, event: Event, only: str) -> tuple[int, list[Conflict]]:
    queued, refused = 0, []
    missing: list[Endpoint] = find_unreached_endpoints(request.broadcaster, event)
    # An inactive webhook is refused with a reason if it was named, and left out if all were meant.
    wanted = [e for e in missing if e.public_id == only or (not only and e.is_sendable)]
    for delivery in _deliveries(event):
        if only not in ("", delivery.endpoint.public_id):
            continue
        if not only and delivery.endpoint.deleted_at is not None:
            continue
        try:
            resend(delivery=delivery, actor=request.actor)
            queued += 1
        except Conflict as conflict:
            refused.append(conflict)
    for endpoint in wanted:
        try:
            deliver_to_unreached_endpoint(event=event, endpoint=endpoint, actor=request.actor)
            queued += 1
        except Conflict as conflict:
            refused.append(conflict)
    return queued, refused
