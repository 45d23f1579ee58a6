"""Lists of networks from the environment: what cannot be read is kept, to be named by a check."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def read_networks(texts: Iterable[str]) -> tuple[list[Network], list[str]]:
    """The networks, and what is wrong with each text that is none: it lets nothing through."""
    networks: list[Network] = []
    faults: list[str] = []
    for text in (text.strip() for text in texts):
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            faults.append(str(error))
    return networks, faults
