"""The address a request came from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Protocol

from django.conf import settings


class _HasMeta(Protocol):
    META: Any


def client_address(request: _HasMeta) -> str | None:
    """Where the request came from; None where that is no IP address (a Unix socket).

    Behind WEBHOOKS_PROXY_HOPS proxies, each of which adds its peer to X-Forwarded-For, it is the
    entry that the outermost of them made. What stands before that one the client wrote itself.
    """
    hops: int = settings.WEBHOOKS_PROXY_HOPS
    peer = request.META.get("REMOTE_ADDR", "")
    if not hops:
        return _address(peer)
    chain = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    return _address(chain[-hops]) if len(chain) >= hops and chain[-hops] else _address(peer)


def _address(text: str) -> str | None:
    """Of `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` and `[2001:db8::1]:4711`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # One client, one spelling: a dual-stack socket names IPv4 peers as ::ffff:192.0.2.1.
    return str(getattr(found, "ipv4_mapped", None) or found)
