"""Test Webhook and the test console: one request with a sample, and what came of it inline."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deliveries.event_log.attempts import shown_attempts
from deliveries.models import Attempt, Delivery, DeliveryStatus, Variant, VariantKind
from deliveries.test_console.fault_pack import FAULTS, answer_of, not_shown
from deliveries.test_console.grading import Verdict, judge_rehearsal
from deliveries.test_console.sample_check import SampleCheck, check_sample
from deliveries.test_console.test_requests import default_topic, rehearse_token, send_test
from deliveries.views.deliveries import delivery_or_404, delivery_url, not_modified, state_tag
from subscriptions.errors import PortalError, Refused
from subscriptions.models import Endpoint, Topic
from subscriptions.models.broadcaster import Role
from subscriptions.portal.access import PortalRequest, broadcaster_page
from subscriptions.portal.endpoint_pages import endpoint_head
from subscriptions.portal.responses import flash_refusal, page, redirect_back, redirect_to

# Beyond the webhook's own timeout: a worker's poll, and writing the outcome.
_LONG_WAIT = timedelta(seconds=5)


def endpoint_or_404(request: PortalRequest, endpoint_id: str) -> Endpoint:
    mine = Endpoint.objects.for_broadcaster(request.broadcaster)
    endpoint = mine.filter(public_id=endpoint_id).first()
    if endpoint is None:
        raise Http404(f"No webhook {endpoint_id} in this broadcaster.")
    endpoint.broadcaster = request.broadcaster
    return endpoint


@broadcaster_page(Role.DEVELOPER)
@require_POST
def endpoint_test(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """Test Webhook: `topic` is optional, its sample is sent. For htmx the result, that polls."""
    endpoint = endpoint_or_404(request, endpoint_id)
    topic = request.POST.get("topic") or None
    try:
        delivery = send_test(endpoint=endpoint, actor=request.actor, topic=topic)
    except PortalError as error:
        return _refused(request, error, "subscriptions:endpoint-detail", endpoint)
    return _queued(request, delivery)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def endpoint_rehearse_token(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """One test signed with the new token only; its result tells whether the receiver knows it."""
    endpoint = endpoint_or_404(request, endpoint_id)
    try:
        delivery = rehearse_token(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        return _refused(request, error, "subscriptions:endpoint-token", endpoint)
    return _queued(request, delivery)


def _refused(
    request: PortalRequest, error: PortalError, view: str, endpoint: Endpoint
) -> HttpResponse:
    if request.htmx:
        fault = {"refused": error.detail}
        return render(request, "deliveries/_test_result.html", fault, status=422)
    flash_refusal(request, error)
    return redirect_back(request, reverse(view, args=[request.broadcaster.pk, endpoint.public_id]))


def _queued(
    request: PortalRequest, delivery: Delivery, warnings: tuple[str, ...] = ()
) -> HttpResponse:
    if not request.htmx:
        return redirect_to(request, delivery_url(delivery))
    return _result(request, delivery, warnings)


def _result(
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
        "shown": next(iter(shown_attempts(delivery, ended)), None),
        "pending": pending,
        "is_late": late,
        "tag_json": json.dumps(tag),
        "warnings": warnings,
        "verdict": None if pending else rehearsal_verdict(delivery, attempt),
    }
    response = render(request, "deliveries/_test_result.html", context)
    response["ETag"] = tag
    return response


def rehearsal_verdict(delivery: Delivery, attempt: Attempt | None) -> Verdict | None:
    """None where the test was no rehearsal of a new token."""
    if not Variant.objects.filter(delivery=delivery, kind=VariantKind.NEW_TOKEN).exists():
        return None
    return judge_rehearsal(answer_of(attempt), delivery.endpoint.token_hint)


def is_late(delivery: Delivery, now: datetime) -> bool:
    """Whether it waits longer than a worker would let it. With endpoint and broadcaster."""
    endpoint = delivery.endpoint
    seconds = float(endpoint.timeout_seconds or endpoint.broadcaster.rules.timeout_seconds)
    return now - delivery.created_at > timedelta(seconds=seconds) + _LONG_WAIT


@broadcaster_page()
@require_safe
def test_result(request: PortalRequest, delivery_id: str) -> HttpResponse:
    """The fragment that asks for itself until the attempt is there."""
    delivery = delivery_or_404(request, delivery_id)
    if not request.htmx:
        return redirect_to(request, delivery_url(delivery))
    return _result(request, delivery)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "HEAD", "POST"])
def test_console(request: PortalRequest) -> HttpResponse:
    """?endpoint=&topic= choose; in=webhook shows it as that webhook's tab. POST with `data` sends it, or with `check` only compares it."""
    given = request.POST if request.method == "POST" else request.GET
    endpoints = list(Endpoint.objects.for_broadcaster(request.broadcaster).order_by("name")[:500])
    endpoint = next((e for e in endpoints if e.public_id == given.get("endpoint")), None)
    if given.get("endpoint") and endpoint is None:
        raise Http404(f"No webhook {given['endpoint'][:40]} in this broadcaster.")
    endpoint = endpoint or next(
        (e for e in endpoints if e.is_sendable), next(iter(endpoints), None)
    )
    if endpoint is not None:
        endpoint.broadcaster = request.broadcaster
    topics = list(request.broadcaster.platform.topics.order_by("position", "name"))
    topic = _topic(request, endpoint, topics, given.get("topic", ""))
    in_webhook = endpoint is not None and given.get("in") == "webhook"
    context: dict[str, Any] = {
        **(endpoint_head(request, endpoint, "test") if endpoint and in_webhook else {}),
        "endpoints": endpoints,
        "endpoint": endpoint,
        "topics": topics,
        "topic": topic,
        "in_webhook": in_webhook,
        "faults": [(fault, not_shown(fault.kind, endpoint)) for fault in FAULTS]
        if endpoint is not None
        else [],
        "data": given.get("data", topic.sample if topic else ""),
    }
    if request.method == "POST" and endpoint is not None and topic is not None:
        return _console_post(request, context, endpoint, topic)
    return page(request, "deliveries/test_console.html", context)


def _topic(
    request: PortalRequest, endpoint: Endpoint | None, topics: list[Topic], name: str
) -> Topic | None:
    chosen = next((topic for topic in topics if topic.name == name), None)
    if chosen is None and endpoint is not None:
        try:
            wanted = default_topic(endpoint)
        except Refused:
            wanted = None
        chosen = next((topic for topic in topics if topic == wanted), None)
    return chosen or next(iter(topics), None)


def _console_post(
    request: PortalRequest, context: dict[str, Any], endpoint: Endpoint, topic: Topic
) -> HttpResponse:
    checked = check_sample(context["data"], topic.schema)
    if "check" in request.POST:
        return _checked(request, context, checked)
    if checked.data is not None:
        try:
            delivery = send_test(
                endpoint=endpoint, actor=request.actor, topic=topic.name, data=checked.data
            )
        except PortalError as error:
            checked = SampleCheck(None, error.detail, checked.warnings)
        else:
            return _queued(request, delivery, checked.warnings)
    if request.htmx:
        fault = {"refused": checked.fault}
        return render(request, "deliveries/_test_result.html", fault, status=422)
    return _checked(request, context, checked, status=422)


def _checked(
    request: PortalRequest, context: dict[str, Any], checked: SampleCheck, status: int = 200
) -> HttpResponse:
    return page(
        request,
        "deliveries/test_console.html",
        context | {"checked": checked},
        fragment="deliveries/_sample_check.html",
        status=status,
    )
