"""The address a request came from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Protocol

from django.conf import settings


class _HasMeta(Protocol):
    META: Any


def client_address(request: _HasMeta) -> str | None:
    """The address a request came from; None if that is no IP address (a Unix socket).

    Each of WEBHOOKS_PROXY_HOPS proxies adds its peer to X-Forwarded-For: the client's address is
    the entry that the outermost proxy added. Entries before it were written by the client.
    """
    hops: int = settings.WEBHOOKS_PROXY_HOPS
    peer = request.META.get("REMOTE_ADDR", "")
    if not hops:
        return _parse_address(peer)
    chain = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    added_by_proxy = chain[-hops] if len(chain) >= hops else ""
    return _parse_address(added_by_proxy or peer)


def _parse_address(text: str) -> str | None:
    """The address in `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket names the IPv4 peer 192.0.2.1 as ::ffff:192.0.2.1.
    return str(getattr(address, "ipv4_mapped", None) or address)
