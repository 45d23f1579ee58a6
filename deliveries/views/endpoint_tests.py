"""Test Webhook: one test of a webhook, and its result below the button."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from deliveries.event_log import describe_attempts
from deliveries.models import Attempt, Delivery, DeliveryStatus, Variant, VariantKind
from deliveries.test_console import (
    Grade,
    grade_rehearsal,
    rehearse_token,
    send_test,
    summarize_response,
)
from deliveries.views.deliveries import delivery_or_404, delivery_url, not_modified, state_tag
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal import (
    PortalRequest,
    broadcaster_page,
    flash_refusal,
    redirect_back,
    redirect_to,
)
from subscriptions.portal.endpoint_pages import endpoint_url

# The time that a worker's poll and writing the outcome may take, besides the webhook's timeout.
_WORKER_TIME = timedelta(seconds=5)


def endpoint_or_404(request: PortalRequest, endpoint_id: str) -> Endpoint:
    endpoint = request.broadcaster.endpoints.live().filter(public_id=endpoint_id).first()
    if endpoint is None:
        raise Http404(f"No webhook {endpoint_id} in this broadcaster.")
    return endpoint


@broadcaster_page(Role.DEVELOPER)
@require_POST
def endpoint_test(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """POST sends the sample of `topic`, or of the usual one; htmx gets the result, which polls."""
    endpoint = endpoint_or_404(request, endpoint_id)
    topic = request.POST.get("topic") or None
    try:
        delivery = send_test(endpoint=endpoint, actor=request.actor, topic=topic)
    except PortalError as error:
        return _show_refusal(request, error, endpoint_url(endpoint))
    return show_queued(request, delivery)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def endpoint_rehearse_token(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """POST sends a test signed with the new token only, which shows if the receiver knows it."""
    endpoint = endpoint_or_404(request, endpoint_id)
    try:
        delivery = rehearse_token(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        return _show_refusal(request, error, endpoint_url(endpoint, "token"))
    return show_queued(request, delivery)


def _show_refusal(request: PortalRequest, error: PortalError, back_url: str) -> HttpResponse:
    if request.htmx:
        return refusal_fragment(request, error.detail)
    flash_refusal(request, error)
    return redirect_back(request, back_url)


def refusal_fragment(request: PortalRequest, reason: str) -> HttpResponse:
    context = {"refused": reason}
    return render(request, "deliveries/_test_result.html", context, status=422)


def show_queued(
    request: PortalRequest, delivery: Delivery, warnings: tuple[str, ...] = ()
) -> HttpResponse:
    """The result of a test that was just queued; without htmx its delivery's page."""
    if not request.htmx:
        return redirect_to(request, delivery_url(delivery))
    return _result_fragment(request, delivery, warnings)


def _result_fragment(
    request: PortalRequest, delivery: Delivery, warnings: tuple[str, ...] = ()
) -> HttpResponse:
    pending = delivery.status == DeliveryStatus.PENDING
    late = pending and is_late(delivery, timezone.now())
    tag = state_tag([delivery], late)
    if not_modified(request, tag):
        return HttpResponseNotModified()
    attempt = delivery.attempts.order_by("-number").first()
    ended = [attempt] if attempt is not None and not pending else []
    context = {
        "delivery": delivery,
        "endpoint": delivery.endpoint,
        "shown": next(iter(describe_attempts(delivery, ended)), None),
        "pending": pending,
        "is_late": late,
        "tag_json": json.dumps(tag),
        "warnings": warnings,
        "grade": None if pending else grade_rehearsal_of(delivery, attempt),
    }
    response = render(request, "deliveries/_test_result.html", context)
    response["ETag"] = tag
    return response


def grade_rehearsal_of(delivery: Delivery, attempt: Attempt | None) -> Grade | None:
    """The verdict on a rehearsal of a new token; None for any other test."""
    if not Variant.objects.filter(delivery=delivery, kind=VariantKind.NEW_TOKEN).exists():
        return None
    return grade_rehearsal(summarize_response(attempt), delivery.endpoint.token_hint)


def is_late(delivery: Delivery, now: datetime) -> bool:
    """Whether the test waits longer than any worker would let it."""
    endpoint = delivery.endpoint
    seconds = float(endpoint.timeout_seconds or endpoint.broadcaster.rules.timeout_seconds)
    return now - delivery.created_at > timedelta(seconds=seconds) + _WORKER_TIME


@broadcaster_page()
@require_safe
def test_result(request: PortalRequest, delivery_id: str) -> HttpResponse:
    """The fragment that polls until the attempt has ended."""
    delivery = delivery_or_404(request, delivery_id)
    if not request.htmx:
        return redirect_to(request, delivery_url(delivery))
    return _result_fragment(request, delivery)
