"""What a webhook missed while it was off, and replaying it."""

from __future__ import annotations

import hashlib
import json

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from deliveries.recovery.missed_events import MOST, read_missed, replay_missed, waiting
from deliveries.views.testing import endpoint_or_404
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import PortalRequest, broadcaster_page
from subscriptions.portal.responses import flash_refusal, page


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_missed(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """GET ?after=start comes from switching on, and goes on where nothing was missed.

    POST queues what was missed. For htmx how much still waits, with its entity tag.
    """
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "POST":
        return _replay(request, endpoint)
    if request.htmx:
        return _waiting(request, endpoint)
    missed = read_missed(endpoint)
    if request.GET.get("after") == "start" and (missed is None or not missed.count.number):
        detail = [request.broadcaster.pk, endpoint.public_id]
        return redirect("subscriptions:endpoint-detail", *detail)
    context = {
        "endpoint": endpoint,
        "missed": missed,
        "most": MOST,
        "here": request.path,
        "tab": "overview",
        **_waiting_context(endpoint),
    }
    return page(request, "deliveries/endpoint_missed.html", context)


def _replay(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    try:
        queued = replay_missed(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        plural = "y" if queued == 1 else "ies"
        messages.info(request, f"Queued: {queued:,} deliver{plural} to {endpoint.name}.")
    return redirect(
        reverse("deliveries:endpoint-missed", args=[request.broadcaster.pk, endpoint.public_id])
    )


def _waiting_context(endpoint: Endpoint) -> dict[str, object]:
    count = waiting(endpoint)
    tag = f'"{hashlib.sha256(count.words.encode()).hexdigest()[:24]}"'
    return {"waiting": count, "tag": tag, "tag_json": json.dumps(tag)}


def _waiting(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    context = _waiting_context(endpoint)
    if request.headers.get("If-None-Match") == context["tag"]:
        return HttpResponseNotModified()
    context |= {"endpoint": endpoint, "here": request.path}
    response = page(request, "deliveries/_endpoint_waiting.html", context)
    response["ETag"] = str(context["tag"])
    return response
