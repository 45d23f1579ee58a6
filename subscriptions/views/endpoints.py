"""Webhooks: the list, and one of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.models.endpoint import EndpointStatus
from subscriptions.portal import PortalRequest, at_least, broadcaster_page, page
from subscriptions.portal.endpoint_pages import endpoint_head
from subscriptions.portal.page_parts import (
    ENDPOINT_ACTIONS,
    ENDPOINT_HEALTH,
    ENDPOINT_MENU,
    ENDPOINT_SECTIONS,
)

# More than any customer adds by hand; beyond it, search finds the rest.
LIST_LENGTH = 200
_WHAT_A_WEBHOOK_IS = (
    "A webhook is a URL of yours that gets a request for every event you choose. Add the first one, "
    "then send it a test."
)
_WHO_MAY_ADD = "A developer or an owner of this broadcaster can add one."
_STATUS_FILTERS = {
    EndpointStatus.ACTIVE: Q(active=True, suspended_at=None),
    EndpointStatus.INACTIVE: Q(active=False),
    EndpointStatus.SUSPENDED: Q(active=True, suspended_at__isnull=False),
}


def find_endpoints(request: PortalRequest) -> QuerySet[Endpoint]:
    """The broadcaster's webhooks, with what lists and pages show of them."""
    return (
        request.broadcaster.endpoints.live()
        .select_related("status_changed_by", "broadcaster__platform")
        .prefetch_related("topics")
    )


def endpoint_or_404(request: PortalRequest, endpoint_id: str) -> Endpoint:
    endpoint = find_endpoints(request).filter(public_id=endpoint_id).first()
    if endpoint is None:
        raise Http404(f"No webhook {endpoint_id} in this broadcaster.")
    return endpoint


def row_parts(request: PortalRequest, endpoints: list[Endpoint]) -> dict[str, Any]:
    """What other apps add to the rows of a list of webhooks."""
    return {
        "actions": ENDPOINT_ACTIONS.collect(request, endpoints),
        "health": ENDPOINT_HEALTH.collect(request, endpoints),
        "menu": ENDPOINT_MENU.collect(request, endpoints),
    }


@broadcaster_page()
def endpoint_list(request: PortalRequest) -> HttpResponse:
    """?q= (name, URL, id or topic), ?status="""
    query = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    total = request.broadcaster.endpoints.live().count()
    endpoints = list(_filter(find_endpoints(request), query, status)[:LIST_LENGTH])
    limit = request.broadcaster.endpoint_limit
    can_add = at_least(request.role, Role.DEVELOPER)
    new_url = reverse("subscriptions:endpoint-new", args=[request.broadcaster.pk])
    context = {
        "intro": describe_list(request.broadcaster, total),
        "empty_text": _WHAT_A_WEBHOOK_IS if can_add else _WHO_MAY_ADD,
        "new_url": new_url if can_add else "",
        "endpoints": endpoints,
        "parts": row_parts(request, endpoints),
        "total": total,
        "limit": limit,
        "is_full": limit is not None and 0 < limit <= total,
        "is_cut": len(endpoints) == LIST_LENGTH,
        "list_length": LIST_LENGTH,
        "query": query,
        "status": status,
        "statuses": EndpointStatus.choices,
    }
    return page(
        request,
        "subscriptions/endpoint_list.html",
        context,
        fragment="subscriptions/_endpoint_rows.html",
    )


def describe_list(broadcaster: Broadcaster, total: int) -> str:
    text = f"Your URLs, and the events of {broadcaster.platform.title} that are sent to each."
    limit = broadcaster.endpoint_limit
    return f"{text} {total} of {limit} used." if limit else text


def _filter(endpoints: QuerySet[Endpoint], query: str, status: str) -> QuerySet[Endpoint]:
    endpoints = endpoints.defer("description", "headers")
    if query:
        endpoints = endpoints.filter(
            Q(name__icontains=query)
            | Q(url__icontains=query)
            | Q(public_id=query)
            | Q(topics__name__icontains=query)
        ).distinct()
    if status in _STATUS_FILTERS:
        endpoints = endpoints.filter(_STATUS_FILTERS[EndpointStatus(status)])
    return endpoints


@broadcaster_page()
def endpoint_detail(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    context = {
        **endpoint_head(request, endpoint, "overview"),
        "sections": ENDPOINT_SECTIONS.collect(request, endpoint),
        "signature": describe_signature(endpoint),
        "success": describe_success(endpoint),
        "attempts": describe_attempts(request.broadcaster),
        "rate_limit": describe_rate_limit(endpoint),
        "masked_headers": mask_headers(endpoint.headers),
    }
    return page(request, "subscriptions/endpoint_detail.html", context)


def describe_signature(endpoint: Endpoint) -> str:
    """HTML: the header or standard by which its requests are signed, and the token's end."""
    if not endpoint.is_signed:
        return "None: anyone who knows the URL can write to it"
    if endpoint.signature_scheme == "standard":
        return f"Standard Webhooks, token …{endpoint.token_hint}"
    header = endpoint.broadcaster.rules.signature.header
    return format_html("<code>{}</code>, token …{}", header, endpoint.token_hint)


def describe_success(endpoint: Endpoint) -> str:
    """Which responses count as a success, and within which time."""
    rules = endpoint.broadcaster.rules
    codes = " or ".join(map(str, rules.success_codes or ()))
    seconds = endpoint.timeout_seconds or rules.timeout_seconds
    return f"{f'Status {codes}' if codes else 'Any 2xx status'} within {seconds:g} seconds"


def describe_attempts(broadcaster: Broadcaster) -> str:
    """How often a delivery is tried, and when failures suspend its webhook."""
    rules = broadcaster.rules
    words = f"Up to {rules.max_requests}, by the schedule of {broadcaster.platform.title}"
    if rules.suspend_after_failures:
        words += f"; suspended after {rules.suspend_after_failures} failures in a row"
    return words


def describe_rate_limit(endpoint: Endpoint) -> str:
    limit = endpoint.rate_limit
    return f"{limit} request{'' if limit == 1 else 's'} a second" if limit else "None"
