"""What a URL will meet when something is sent to it, in words, while it is being typed."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass

from django.conf import settings

from subscriptions.addresses import judge
from subscriptions.endpoints import checked_url
from subscriptions.errors import Refused
from subscriptions.own_hosts import is_request_bin
from subscriptions.platform_rules import PlatformRules
from subscriptions.system_resolver import resolve_by_system
from subscriptions.url_rules import is_localhost, parse_url

logger = logging.getLogger(__name__)
_LOOKUP_SECONDS = 3
# getaddrinfo knows no deadline: it waits in a thread of its own, and few of them may.
_lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="url-preview")


@dataclass(frozen=True, slots=True)
class UrlFinding:
    """kind: "fine", "warning" (can be saved, will not work as it is) or "fault"."""

    kind: str
    text: str


def look_at(url: str, rules: PlatformRules) -> UrlFinding:
    """Checks the URL as saving does, then the addresses behind its host name now."""
    try:
        url = checked_url(url, rules)
    except Refused as refusal:
        return UrlFinding("fault", refusal.detail)
    if is_request_bin(url):
        return UrlFinding("fine", "This portal's own request bin: good for a first try.")
    parts = parse_url(url)
    # Behind a proxy, it is the proxy that looks names up, and it may know others than we do.
    if parts.address or is_localhost(parts.host) or settings.WEBHOOKS_EGRESS_PROXY:
        return UrlFinding("fine", f"{parts.host} may be reached.")
    finding = _look_up(parts.host)
    if finding.kind == "fine" and parts.scheme == "http":
        text = f"{finding.text} http:// is not encrypted: use https:// for anything real."
        return UrlFinding("warning", text)
    return finding


def _look_up(host: str) -> UrlFinding:
    waiting = _lookups.submit(resolve_by_system, host)
    try:
        found = waiting.result(timeout=_LOOKUP_SECONDS)
    except TimeoutError:
        waiting.cancel()
        return UrlFinding("warning", f"Looking up {host} took over {_LOOKUP_SECONDS} seconds.")
    except (OSError, UnicodeError):
        text = f"{host} has no address in DNS now: check the spelling, or set up its record."
        return UrlFinding("warning", text)
    return judged(host, list(dict.fromkeys(found)))


def judged(host: str, addresses: list[str]) -> UrlFinding:
    """What follows from the addresses that a host name has. None that is not public is named: what
    names mean inside the operator's network is not the customer's to learn."""
    for address in addresses:
        reason = judge(address, settings.WEBHOOKS_ALLOWED_NETWORKS)
        if reason:
            logger.warning("the webhook URL being typed leads to %s, %s", address, reason)
            text = (
                f"{host} leads to an address that is not public: nothing will be sent there. Use a "
                "public host, or ask your operator to allow the network."
            )
            return UrlFinding("warning", text)
    if any(judge(address, ()) for address in addresses):
        return UrlFinding("fine", f"{host} may be reached.")
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return UrlFinding("fine", f"{host} resolves to {addresses[0]}{more}.")
