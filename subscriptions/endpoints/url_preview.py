"""What deliveries to a URL will meet, in words, for whoever is typing it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass

from django.conf import settings

from subscriptions.endpoints.addresses import find_address_fault
from subscriptions.endpoints.own_hosts import is_request_bin
from subscriptions.endpoints.settings import check_endpoint_url
from subscriptions.endpoints.system_resolver import resolve_by_system
from subscriptions.endpoints.tls_preview import find_tls_fault
from subscriptions.endpoints.url_rules import EndpointURL, is_localhost, parse_url
from subscriptions.errors import Refused
from subscriptions.platforms.rules import PlatformRules

logger = logging.getLogger(__name__)
_LOOKUP_SECONDS = 3
_HANDSHAKE_SECONDS = 5
# getaddrinfo has no timeout: it runs in threads of its own, and in a few at once only.
_lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="url-preview")
_handshakes = ThreadPoolExecutor(max_workers=4, thread_name_prefix="url-preview-tls")


@dataclass(frozen=True, slots=True)
class UrlPreview:
    """kind: "fine", "warning" (it can be saved, and will not work as it is) or "fault"."""

    kind: str
    text: str


def preview_url(url: str, rules: PlatformRules) -> UrlPreview:
    """Check the URL as saving does, then the addresses its host has now, then its certificate."""
    try:
        url = check_endpoint_url(url, rules)
    except Refused as refusal:
        return UrlPreview("fault", refusal.detail)
    if is_request_bin(url):
        return UrlPreview("fine", "This portal's own request bin: good for a first try.")
    parts = parse_url(url)
    # With an egress proxy it is the proxy that looks up names, and it may know other ones.
    if settings.WEBHOOKS_EGRESS_PROXY:
        return UrlPreview("fine", f"{parts.host} may be reached.")
    preview, addresses = _preview_host(parts)
    if preview.kind != "fine":
        return preview
    if parts.scheme == "http":
        if parts.address or is_localhost(parts.host):
            return preview
        text = f"{preview.text} http:// is not encrypted: use https:// for anything real."
        return UrlPreview("warning", text)
    return _preview_certificate(parts, addresses, preview)


def _preview_host(parts: EndpointURL) -> tuple[UrlPreview, list[str]]:
    """What follows from the host's addresses, and those of them that may be connected to."""
    if parts.address or is_localhost(parts.host):
        addresses = [parts.address] if parts.address else ["127.0.0.1", "::1"]
        allowed = [
            a for a in addresses if not find_address_fault(a, settings.WEBHOOKS_ALLOWED_NETWORKS)
        ]
        return UrlPreview("fine", f"{parts.host} may be reached."), allowed
    return _preview_name(parts.host)


def _preview_name(host: str) -> tuple[UrlPreview, list[str]]:
    waiting = _lookups.submit(resolve_by_system, host)
    try:
        found = list(dict.fromkeys(waiting.result(timeout=_LOOKUP_SECONDS)))
    except TimeoutError:
        waiting.cancel()
        text = f"Looking up {host} took over {_LOOKUP_SECONDS} seconds."
        return UrlPreview("warning", text), []
    except (OSError, UnicodeError):
        text = f"{host} has no address in DNS now: check the spelling, or set up its record."
        return UrlPreview("warning", text), []
    return _preview_addresses(host, found), found


def _preview_certificate(
    parts: EndpointURL, addresses: list[str], preview: UrlPreview
) -> UrlPreview:
    """Connects to these addresses, which were checked, and not to the name, which may change."""
    waiting = _handshakes.submit(find_tls_fault, parts.host.rstrip("."), parts.port, addresses)
    try:
        fault = waiting.result(timeout=_HANDSHAKE_SECONDS)
    except TimeoutError:
        waiting.cancel()
        fault = f"port {parts.port} did not answer in TLS within {_HANDSHAKE_SECONDS} seconds."
    if fault:
        return UrlPreview("warning", f"{preview.text} But {fault}")
    return UrlPreview("fine", f"{preview.text} Its certificate is good.")


def _preview_addresses(host: str, addresses: list[str]) -> UrlPreview:
    """What follows from the addresses of a host name.

    An address that is not public is not shown: the customer is not to learn what names mean inside
    the operator's network.
    """
    for address in addresses:
        reason = find_address_fault(address, settings.WEBHOOKS_ALLOWED_NETWORKS)
        if reason:
            logger.warning("the webhook URL being typed leads to %s, %s", address, reason)
            text = (
                f"{host} leads to an address that is not public: nothing will be sent there. Use a "
                "public host, or ask your operator to allow the network."
            )
            return UrlPreview("warning", text)
    if any(find_address_fault(address, ()) for address in addresses):
        return UrlPreview("fine", f"{host} may be reached.")
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return UrlPreview("fine", f"{host} resolves to {addresses[0]}{more}.")
