"""The test console: a test with data of one's own, and the fault pack."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from deliveries.test_console import FAULTS, default_topic, explain_unsuitable, send_test
from deliveries.test_console.sample_check import SampleCheck, check_sample
from deliveries.views.endpoint_tests import refusal_fragment, show_queued
from subscriptions.errors import PortalError, Refused
from subscriptions.models import Endpoint, Topic
from subscriptions.models.broadcaster import Role
from subscriptions.portal import PortalRequest, broadcaster_page, page
from subscriptions.portal.endpoint_pages import endpoint_head


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "HEAD", "POST"])
def test_console(request: PortalRequest) -> HttpResponse:
    """?endpoint=&topic= choose; in=webhook shows it as that webhook's tab.

    POST sends `data`; with `check` it is only compared with the topic's schema.
    """
    given = request.POST if request.method == "POST" else request.GET
    endpoints = list(request.broadcaster.endpoints.live().order_by("name")[:500])
    endpoint = next((e for e in endpoints if e.public_id == given.get("endpoint")), None)
    if given.get("endpoint") and endpoint is None:
        raise Http404(f"No webhook {given['endpoint'][:40]} in this broadcaster.")
    endpoint = endpoint or next(
        (e for e in endpoints if e.is_sendable), next(iter(endpoints), None)
    )
    topics = list(request.broadcaster.platform.topics.order_by("position", "name"))
    topic = _choose_topic(endpoint, topics, given.get("topic", ""))
    in_webhook = endpoint is not None and given.get("in") == "webhook"
    context: dict[str, Any] = {
        **(endpoint_head(request, endpoint, "test") if endpoint and in_webhook else {}),
        "endpoints": endpoints,
        "endpoint": endpoint,
        "topics": topics,
        "topic": topic,
        "in_webhook": in_webhook,
        "faults": [(fault, explain_unsuitable(fault.kind, endpoint)) for fault in FAULTS]
        if endpoint is not None
        else [],
        "data": given.get("data", topic.sample if topic else ""),
    }
    if request.method == "POST" and endpoint is not None and topic is not None:
        return _send_or_check(request, context, endpoint, topic)
    return page(request, "deliveries/test_console.html", context)


def _choose_topic(endpoint: Endpoint | None, topics: list[Topic], name: str) -> Topic | None:
    """The named topic, or the endpoint's usual one, or the first; None without any."""
    chosen = next((topic for topic in topics if topic.name == name), None)
    if chosen is None and endpoint is not None:
        try:
            default = default_topic(endpoint)
        except Refused:
            default = None
        chosen = next((topic for topic in topics if topic == default), None)
    return chosen or next(iter(topics), None)


def _send_or_check(
    request: PortalRequest, context: dict[str, Any], endpoint: Endpoint, topic: Topic
) -> HttpResponse:
    checked = check_sample(context["data"], topic.schema)
    if "check" in request.POST:
        return _show_check(request, context, checked)
    if checked.data is not None:
        try:
            delivery = send_test(
                endpoint=endpoint, actor=request.actor, topic=topic.name, data=checked.data
            )
        except PortalError as error:
            checked = SampleCheck(None, error.detail, checked.warnings)
        else:
            return show_queued(request, delivery, checked.warnings)
    if request.htmx:
        return refusal_fragment(request, checked.fault)
    return _show_check(request, context, checked, status=422)


def _show_check(
    request: PortalRequest, context: dict[str, Any], checked: SampleCheck, status: int = 200
) -> HttpResponse:
    return page(
        request,
        "deliveries/test_console.html",
        context | {"checked": checked},
        fragment="deliveries/_sample_check.html",
        status=status,
    )
