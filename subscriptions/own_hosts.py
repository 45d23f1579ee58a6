"""Our own addresses: no delivery goes to the portal itself, the request bin excepted."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

REQUEST_BIN_PATH = "/bin/"


def own_hosts() -> frozenset[str]:
    """Host names, lower-case, that the portal answers on in public.

    A loopback host is none: where the operator allows loopback, it is development, with receivers
    on other ports of it.
    """
    host = (urlsplit(settings.WEBHOOKS_PUBLIC_URL).hostname or "").lower()
    return frozenset() if host in {"", "localhost", "127.0.0.1", "::1"} else frozenset({host})


def is_request_bin(url: str) -> bool:
    """Whether the URL is one of the built-in request bin, and the bin is switched on."""
    return settings.WEBHOOKS_REQUEST_BIN and url.startswith(
        f"{settings.WEBHOOKS_PUBLIC_URL}{REQUEST_BIN_PATH}"
    )
