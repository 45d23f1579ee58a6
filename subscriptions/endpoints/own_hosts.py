"""The portal's own hosts, to which no delivery goes, and its request bin, to which some do."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings

from subscriptions.endpoints.url_rules import MAX_URL_LENGTH, is_localhost, parse_url
from subscriptions.errors import Refused

REQUEST_BIN_PATH = "/bin/"
# No dot and no percent sign: a proxy before the portal could take such a path for another one.
_REST_OF_BIN_URL = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_/-]*)?(?:\?[A-Za-z0-9_=&-]*)?")


def own_hosts() -> frozenset[str]:
    """The host of WEBHOOKS_PUBLIC_URL, spelled as EndpointURL.host is; empty for a loopback host.

    Someone who allows deliveries to loopback is developing, with receivers on other ports.
    """
    try:
        host = parse_url(settings.WEBHOOKS_PUBLIC_URL).host
    except Refused:
        host = (urlsplit(settings.WEBHOOKS_PUBLIC_URL).hostname or "").lower()
    is_public = host not in {"", "127.0.0.1", "::1"} and not is_localhost(host)
    return frozenset({host}) if is_public else frozenset()


def is_request_bin(url: str) -> bool:
    """Whether the URL belongs to the built-in request bin, and the bin is switched on."""
    base = f"{settings.WEBHOOKS_PUBLIC_URL}{REQUEST_BIN_PATH}"
    return (
        settings.WEBHOOKS_REQUEST_BIN
        and len(url) <= MAX_URL_LENGTH
        and url.startswith(base)
        and _REST_OF_BIN_URL.fullmatch(url, len(base)) is not None
    )
