"""Which URLs and addresses a request may go to: the endpoint rules, with the operator's networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pycurl

from deliveries.transport.bounded_memory import remember
from deliveries.transport.result import TransportError
from subscriptions.endpoints.addresses import IPNetwork, find_address_fault
from subscriptions.endpoints.url_rules import EndpointURL, check_target, parse_url
from subscriptions.errors import Refused


class EgressRules:
    """allowed_networks, refused_hosts and own_url_allowed: as `Transport` takes them."""

    def __init__(
        self,
        *,
        allowed_networks: Sequence[IPNetwork],
        refused_hosts: frozenset[str],
        own_url_allowed: Callable[[str], bool],
    ) -> None:
        self._allowed_networks = tuple(allowed_networks)
        self._refused_hosts = refused_hosts
        self._own_url_allowed = own_url_allowed
        self._targets: dict[str, EndpointURL | TransportError] = {}

    def judge(self, address: str) -> str | None:
        """Why the address may not be called; None if it may."""
        return find_address_fault(address, self._allowed_networks)

    def target(self, url: str) -> EndpointURL | TransportError:
        """The URL in parts, or the error of a request to it. Remembered, because it is asked for
        each request."""
        known = self._targets.get(url)
        if known is None:
            known = self._check(url)
            remember(self._targets, url, known)
        return known

    def _check(self, url: str) -> EndpointURL | TransportError:
        try:
            target = parse_url(url)
            own_hosts = frozenset() if self._is_own_and_allowed(target) else self._refused_hosts
            check_target(target, own_hosts=own_hosts, allowed_networks=self._allowed_networks)
        except Refused as refused:
            return replace(refusal(refused.detail, ""), evidence={"url_rule": refused.detail})
        return target

    def _is_own_and_allowed(self, target: EndpointURL) -> bool:
        has_dot_segment = "/." in target.path or "%2e" in target.path.lower()
        return not has_dot_segment and self._own_url_allowed(str(target))


def refusal(reason: str, address: str) -> TransportError:
    """The error of a request that the rules forbid; address: "" if it is about the URL."""
    return TransportError(
        pycurl.E_COULDNT_CONNECT, "refused before connecting", "connect", reason, address
    )
