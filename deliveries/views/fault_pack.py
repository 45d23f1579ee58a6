"""The fault pack of the test console: requests sent together, each with a grade of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from deliveries.test_console import RunRequest, describe_run, load_run, send_fault_pack
from deliveries.views.endpoint_tests import endpoint_or_404, is_late
from subscriptions.errors import PortalError
from subscriptions.models.broadcaster import Role
from subscriptions.portal import (
    PortalRequest,
    broadcaster_page,
    flash_refusal,
    page,
    redirect_back,
    redirect_to,
)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def test_faults(request: PortalRequest) -> HttpResponse:
    """POST `endpoint`, `topic` and `faults` sends them; htmx gets the result, which polls."""
    endpoint = endpoint_or_404(request, request.POST.get("endpoint", ""))
    try:
        run = send_fault_pack(
            endpoint=endpoint,
            actor=request.actor,
            kinds=request.POST.getlist("faults"),
            topic=request.POST.get("topic") or None,
        )
    except PortalError as error:
        if request.htmx:
            fault = {"refused": error.detail}
            return render(request, "deliveries/_fault_pack_result.html", fault, status=422)
        flash_refusal(request, error)
        console = reverse("deliveries:test-console", args=[request.broadcaster.pk])
        return redirect_back(request, f"{console}?endpoint={endpoint.public_id}")
    if request.htmx:
        return _result(request, run)
    return redirect_to(request, _result_url(request, run))


@broadcaster_page()
@require_safe
def test_faults_result(request: PortalRequest, run: str) -> HttpResponse:
    """The page, or the fragment that polls until every response is there."""
    return _result(request, run)


def _result_url(request: PortalRequest, run: str) -> str:
    return reverse("deliveries:test-faults-result", args=[request.broadcaster.pk, run])


def _result(request: PortalRequest, run: str) -> HttpResponse:
    sent = load_run(request.broadcaster, run)
    if not sent:
        raise Http404(f"No run {run[:40]} of the fault pack in this broadcaster.")
    tag = _tag(sent)
    if request.htmx and request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified()
    pending = [one for one in sent if one.is_pending]
    context = {
        "sent": sent,
        "endpoint": sent[0].delivery.endpoint,
        "pending": pending,
        "is_late": any(is_late(one.delivery, timezone.now()) for one in pending),
        "progress": describe_run(sent),
        "result_url": _result_url(request, run),
        "tag_json": json.dumps(tag),
    }
    response = page(
        request,
        "deliveries/fault_pack_result.html",
        context,
        fragment="deliveries/_fault_pack_result.html",
    )
    response["ETag"] = tag
    return response


def _tag(sent: Sequence[RunRequest]) -> str:
    now = timezone.now()
    states = [
        (one.delivery.pk, one.delivery.status, one.delivery.lease_id, is_late(one.delivery, now))
        for one in sent
    ]
    return f'"{hashlib.sha256(repr(states).encode()).hexdigest()[:24]}"'
