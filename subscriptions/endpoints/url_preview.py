"""What a URL will meet when something is sent to it, in words, as its field is left."""

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
# getaddrinfo knows no deadline: it waits in a thread of its own, and few of them may.
_lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="url-preview")
_handshakes = ThreadPoolExecutor(max_workers=4, thread_name_prefix="url-preview-tls")


@dataclass(frozen=True, slots=True)
class UrlPreview:
    """kind: "fine", "warning" (can be saved, will not work as it is) or "fault"."""

    kind: str
    text: str


def preview_url(url: str, rules: PlatformRules) -> UrlPreview:
    """Checks the URL as saving does, then the addresses behind its host now, then the certificate."""
    try:
        url = check_endpoint_url(url, rules)
    except Refused as refusal:
        return UrlPreview("fault", refusal.detail)
    if is_request_bin(url):
        return UrlPreview("fine", "This portal's own request bin: good for a first try.")
    parts = parse_url(url)
    # Behind a proxy, it is the proxy that looks names up, and it may know others than we do.
    if settings.WEBHOOKS_EGRESS_PROXY:
        return UrlPreview("fine", f"{parts.host} may be reached.")
    finding, addresses = _behind(parts)
    if finding.kind != "fine":
        return finding
    if parts.scheme == "http":
        if parts.address or is_localhost(parts.host):
            return finding
        text = f"{finding.text} http:// is not encrypted: use https:// for anything real."
        return UrlPreview("warning", text)
    return _shake_hands(parts, addresses, finding)


def _behind(parts: EndpointURL) -> tuple[UrlPreview, list[str]]:
    """What follows from the addresses behind the host, and these, where they may be reached."""
    if parts.address or is_localhost(parts.host):
        addresses = [parts.address] if parts.address else ["127.0.0.1", "::1"]
        allowed = [
            a for a in addresses if not find_address_fault(a, settings.WEBHOOKS_ALLOWED_NETWORKS)
        ]
        return UrlPreview("fine", f"{parts.host} may be reached."), allowed
    return _look_up(parts.host)


def _look_up(host: str) -> tuple[UrlPreview, list[str]]:
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
    return judged(host, found), found


def _shake_hands(parts: EndpointURL, addresses: list[str], finding: UrlPreview) -> UrlPreview:
    """Only addresses that were judged are connected to, not the name, which may change."""
    waiting = _handshakes.submit(find_tls_fault, parts.host.rstrip("."), parts.port, addresses)
    try:
        fault = waiting.result(timeout=_HANDSHAKE_SECONDS)
    except TimeoutError:
        waiting.cancel()
        fault = f"port {parts.port} did not answer in TLS within {_HANDSHAKE_SECONDS} seconds."
    if fault:
        return UrlPreview("warning", f"{finding.text} But {fault}")
    return UrlPreview("fine", f"{finding.text} Its certificate is good.")


def judged(host: str, addresses: list[str]) -> UrlPreview:
    """What follows from the addresses that a host name has. None that is not public is named: what
    names mean inside the operator's network is not the customer's to learn."""
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
