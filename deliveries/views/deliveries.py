"""Event logs: the list of deliveries, and one of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from deliveries.event_log import (
    EXPORT_FORMATS,
    DeliveryLogForm,
    build_timeline,
    describe_attempts,
    describe_state,
    explain_wait,
    export_deliveries,
    render_body,
    should_continue,
)
from deliveries.models import Attempt, Delivery, DeliveryStatus, Trigger, Variant, VariantKind
from deliveries.test_console import grade_rehearsal, summarize_response
from subscriptions.identifiers import public_to_uuid
from subscriptions.portal import PortalRequest, broadcaster_page, page
from subscriptions.portal.display_preferences import read_zone
from subscriptions.portal.endpoint_pages import endpoint_head

# More than a retry schedule and many resends make. The page says if older ones are left out.
MAX_SHOWN_ATTEMPTS = 60
_SOON_SECONDS = 60


def delivery_or_404(request: PortalRequest, delivery_id: str) -> Delivery:
    """The delivery, with its event, endpoint, broadcaster and platform loaded."""
    delivery = None
    if (key := public_to_uuid("dlv", delivery_id)) is not None:
        found = request.broadcaster.deliveries.filter(pk=key)
        delivery = found.select_related("event", "endpoint__rate").first()
    if delivery is None:
        raise Http404(f"No delivery {delivery_id} in this broadcaster.")
    delivery.event.broadcaster = delivery.endpoint.broadcaster = request.broadcaster
    return delivery


def delivery_url(delivery: Delivery, view: str = "delivery-detail") -> str:
    return reverse(f"deliveries:{view}", args=[delivery.broadcaster_id, delivery.public_id])


def list_url(request: PortalRequest, query: str = "") -> str:
    here = reverse("deliveries:delivery-list", args=[request.broadcaster.pk])
    return f"{here}?{query}" if query else here


def state_tag(deliveries: Sequence[Delivery], *more: object) -> str:
    """An entity tag that changes with all that a page says about these deliveries."""
    now = timezone.now()
    states = [
        (d.pk, d.status, d.status_reason, d.attempt_count, d.next_attempt_at, d.lease_id)
        for d in deliveries
    ]
    # A planned attempt becomes due without any change of the row.
    due = [d.next_attempt_at is not None and d.next_attempt_at <= now for d in deliveries]
    return f'"{hashlib.sha256(repr((states, due, more)).encode()).hexdigest()[:24]}"'


def not_modified(request: PortalRequest, tag: str) -> bool:
    return bool(request.htmx) and request.headers.get("If-None-Match") == tag


@broadcaster_page()
@require_safe
def delivery_list(request: PortalRequest) -> HttpResponse:
    """The log, newest first. htmx polls its first page: 304 while the entity tag stays the same."""
    form = DeliveryLogForm(request.GET, request.broadcaster, viewer_zone=read_zone(request))
    cursor = request.GET.get("cursor", "")
    found = form.page(cursor)
    tag = state_tag(found.rows, request.role)
    if not_modified(request, tag):
        return HttpResponseNotModified()
    query = form.without()
    is_first = not cursor
    # A search reads thousands of payloads, which is too much to repeat every two seconds.
    can_tail = is_first and form.is_valid() and not form.value("q")
    live = can_tail and request.GET.get("tail") != "off"
    continues, next_page_number = should_continue(request.headers)
    context: dict[str, Any] = {
        **(endpoint_head(request, form.webhook, "logs") if form.webhook else {}),
        "form": form,
        "page": found,
        "tag_json": json.dumps(tag),
        "is_first": is_first,
        "live": live,
        "can_tail": can_tail,
        "query": query,
        "poll_url": list_url(request, query),
        "paused_url": list_url(request, _join_query(query, "tail=off")),
        "first_url": "" if is_first else list_url(request, query),
        "older_url": list_url(request, _join_query(query, f"cursor={found.next_cursor}"))
        if found.next_cursor
        else "",
        "clear_url": list_url(request),
        "continues": continues,
        "next_page_number": next_page_number,
    }
    response = page(
        request,
        "deliveries/delivery_list.html",
        context,
        fragment="deliveries/_delivery_rows.html",
    )
    response["ETag"] = tag
    return response


@broadcaster_page()
@require_GET
def delivery_export(request: PortalRequest) -> HttpResponseBase:
    """The deliveries that the list's filters leave, as a file: ?format=csv or jsonl."""
    name = request.GET.get("format", "csv")
    if name not in EXPORT_FORMATS:
        raise Http404(f"There is no format {name[:20]!r}: use {' or '.join(EXPORT_FORMATS)}.")
    filters = request.GET.copy()
    filters.pop("format", None)
    lines = export_deliveries(
        form=DeliveryLogForm(request.GET, request.broadcaster, viewer_zone=read_zone(request)),
        name=name,
        broadcaster=request.broadcaster,
        actor=request.actor,
        filters=filters.urlencode(),
    )
    return StreamingHttpResponse(
        lines,
        content_type=EXPORT_FORMATS[name][0],
        headers={
            "Content-Disposition": f'attachment; filename="deliveries.{name}"',
            "Cache-Control": "no-store",
        },
    )


def _join_query(*parts: str) -> str:
    return "&".join(filter(None, parts))


@broadcaster_page()
@require_safe
def delivery_detail(request: PortalRequest, delivery_id: str) -> HttpResponse:
    delivery = delivery_or_404(request, delivery_id)
    tag = state_tag([delivery], request.role)
    if not_modified(request, tag):
        return HttpResponseNotModified()
    attempts = list(delivery.attempts.order_by("-number")[: MAX_SHOWN_ATTEMPTS + 1])
    has_older_attempts = len(attempts) > MAX_SHOWN_ATTEMPTS
    attempts = attempts[:MAX_SHOWN_ATTEMPTS][::-1]
    now = timezone.now()
    rules = request.broadcaster.rules
    steps = build_timeline(delivery, attempts, rules, now)
    context = {
        "delivery": delivery,
        "event": delivery.event,
        "endpoint": delivery.endpoint,
        "steps": steps,
        "attempts": describe_attempts(delivery, attempts)[::-1],
        "has_older_attempts": has_older_attempts,
        "request_body": render_body(delivery.event.body.encode(), rules.content_type),
        "tag_json": json.dumps(tag),
        "poll_seconds": _poll_seconds(delivery, now),
        "state": describe_state(delivery, now, waiting_for=explain_wait(delivery, now)),
        **(_variant_context(delivery, attempts) if delivery.test else {}),
        "now": now,
    }
    response = page(
        request,
        "deliveries/delivery_detail.html",
        context,
        fragment="deliveries/_delivery_live.html",
    )
    response["ETag"] = tag
    return response


def _variant_context(delivery: Delivery, attempts: list[Attempt]) -> dict[str, Any]:
    """For a test with a variant: which one, and the grade of a rehearsal that has ended."""
    variant = Variant.objects.filter(delivery=delivery).first()
    is_rehearsal = variant is not None and variant.kind == VariantKind.NEW_TOKEN
    if not is_rehearsal or delivery.status == DeliveryStatus.PENDING:
        return {"variant": variant}
    # Resends by hand are signed as usual, so they prove nothing about the new token.
    rehearsed = next((a for a in attempts if a.trigger == Trigger.TEST), None)
    answer = summarize_response(rehearsed)
    return {"variant": variant, "grade": grade_rehearsal(answer, delivery.endpoint.token_hint)}


def _poll_seconds(delivery: Delivery, now: datetime) -> int:
    """Seconds between two polls of the page: 0 if nothing is pending, more if it is far off."""
    if delivery.status != DeliveryStatus.PENDING or delivery.next_attempt_at is None:
        return 0
    return 2 if (delivery.next_attempt_at - now).total_seconds() < _SOON_SECONDS else 20
