"""Missed events: what a webhook did not get while it was off, and replaying that."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from deliveries.recovery import (
    MAX_REPLAYED_EVENTS,
    BoundedCount,
    count_pending,
    find_missed_events,
    replay_missed_events,
)
from deliveries.views.endpoint_tests import endpoint_or_404
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal import PortalRequest, broadcaster_page, flash_refusal, page
from subscriptions.portal.endpoint_pages import endpoint_url

_REPLAY_TEXT = (
    "Each is sent once more or for the first time, with its own id and body, and with the usual "
    "retries. Left alone, they stay under Events and can be sent from there."
)
_REPLAY_PART_TEXT = (
    f"The oldest {MAX_REPLAYED_EVENTS:,} are queued now; come back here for the rest."
)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_missed(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """GET shows what was missed, or for htmx how much still waits; POST queues what was missed.

    With ?after=start, which follows switching on, GET goes on to the webhook if nothing was missed.
    """
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "POST":
        return _replay(request, endpoint)
    if request.htmx:
        return _waiting_fragment(request, endpoint)
    missed = find_missed_events(endpoint)
    has_missed = missed is not None and missed.count.number > 0
    if request.GET.get("after") == "start" and not has_missed:
        return redirect(endpoint_url(endpoint))
    context = {
        "missed": missed,
        "replay_text": _REPLAY_TEXT,
        "replay_label": f"Replay {missed.count.words} missed" if missed else "",
        **_waiting_context(request, endpoint),
    }
    if missed and missed.count.is_more:
        context["replay_text"] = f"{_REPLAY_TEXT} {_REPLAY_PART_TEXT}"
        context["replay_label"] = f"Replay the oldest {MAX_REPLAYED_EVENTS:,}"
    return page(request, "deliveries/endpoint_missed.html", context)


def _replay(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    try:
        queued = replay_missed_events(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        plural = "y" if queued == 1 else "ies"
        messages.info(request, f"Queued: {queued:,} deliver{plural} to {endpoint.name}.")
    return redirect(request.path)


def _waiting_context(request: PortalRequest, endpoint: Endpoint) -> dict[str, Any]:
    count = count_pending(endpoint)
    tag = f'"{hashlib.sha256(count.words.encode()).hexdigest()[:24]}"'
    return {
        "endpoint": endpoint,
        "here": request.path,
        "waiting": count,
        "waiting_text": describe_waiting(count, endpoint),
        "tag": tag,
        "tag_json": json.dumps(tag),
    }


def describe_waiting(count: BoundedCount, endpoint: Endpoint) -> str:
    if not count.number:
        return f"No delivery to {endpoint.name} waits."
    if count.number == 1:
        return f"1 delivery to {endpoint.name} waits to be sent or retried."
    return f"{count.words} deliveries to {endpoint.name} wait to be sent or retried."


def _waiting_fragment(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    context = _waiting_context(request, endpoint)
    if request.headers.get("If-None-Match") == context["tag"]:
        return HttpResponseNotModified()
    response = page(request, "deliveries/_endpoint_waiting.html", context)
    response["ETag"] = context["tag"]
    return response
