"""The address a request came from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Protocol


class _HasMeta(Protocol):
    META: Any


def client_address(request: _HasMeta) -> str | None:
    """The peer's address as the server saw it; None where it is no IP address (a Unix socket)."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
