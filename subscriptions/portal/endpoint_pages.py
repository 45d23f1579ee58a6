"""What all pages of one webhook share: their URLs, and the head with the tabs."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from subscriptions.models import Endpoint
from subscriptions.portal.access import PortalRequest
from subscriptions.portal.page_parts import (
    ENDPOINT_ACTIONS,
    ENDPOINT_STARTED_PAGE,
    ENDPOINT_STOPPED,
    ENDPOINT_TABS,
)


def endpoint_url(endpoint: Endpoint, page: str = "detail") -> str:
    """`page`: detail, edit, token, set-active and so on, as its URL is named."""
    return reverse(
        f"subscriptions:endpoint-{page}", args=[endpoint.broadcaster_id, endpoint.public_id]
    )


def started_url(endpoint: Endpoint) -> str:
    """Where to go after it was switched on or resumed."""
    return ENDPOINT_STARTED_PAGE.url(endpoint) or endpoint_url(endpoint)


def endpoint_head(request: PortalRequest, endpoint: Endpoint, tab: str) -> dict[str, Any]:
    """Context for `subscriptions/_endpoint_head.html`.

    `tab`: overview, logs, test, token or settings.
    """
    return {
        "endpoint": endpoint,
        "tab": tab,
        "head": {
            "actions": ENDPOINT_ACTIONS.collect(request, [endpoint]),
            "tabs": ENDPOINT_TABS.collect(request, endpoint),
            "stopped": ENDPOINT_STOPPED.collect(request, endpoint),
        },
    }
