"""Our own addresses: no delivery goes to the portal itself, the request bin excepted."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings

from subscriptions.endpoints.url_rules import MAX_URL_LENGTH, is_localhost, parse_url
from subscriptions.errors import Refused

REQUEST_BIN_PATH = "/bin/"
# Nothing that a proxy before the portal could take for another path: no dot, no percent sign.
_BELOW_BIN = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_/-]*)?(?:\?[A-Za-z0-9_=&-]*)?")


def own_hosts() -> frozenset[str]:
    """Host names that the portal answers on in public, spelled as in a URL taken apart.

    A loopback host is none: where the operator allows loopback, it is development, with receivers
    on other ports of it.
    """
    try:
        host = parse_url(settings.WEBHOOKS_PUBLIC_URL).host
    except Refused:
        host = (urlsplit(settings.WEBHOOKS_PUBLIC_URL).hostname or "").lower()
    own = host not in {"", "127.0.0.1", "::1"} and not is_localhost(host)
    return frozenset({host}) if own else frozenset()


def is_request_bin(url: str) -> bool:
    """Whether the URL is one of the built-in request bin, and the bin is switched on."""
    base = f"{settings.WEBHOOKS_PUBLIC_URL}{REQUEST_BIN_PATH}"
    return (
        settings.WEBHOOKS_REQUEST_BIN
        and len(url) <= MAX_URL_LENGTH
        and url.startswith(base)
        and _BELOW_BIN.fullmatch(url, len(base)) is not None
    )
