"""Which IP addresses deliveries may go to: public ones, and networks that the operator allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IPNetwork = IPv4Network | IPv6Network

# IANA's special-purpose address registries (RFC 6890 and successors); why each is refused.
_REFUSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "an address of this host itself"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address, where clouds keep their metadata"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.31.196.0/24", "reserved for AS112"),
        ("192.52.193.0/24", "reserved for multicast tunnels"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("192.175.48.0/24", "reserved for AS112"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        # A public address by number, but inside an Azure machine it is the agent of its host.
        ("168.63.129.16/32", "Azure's internal service address"),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("2001::/23", "reserved for protocols (Teredo, ORCHID and others)"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2002::/16", "a 6to4 address"),
        ("2620:4f:8000::/48", "reserved for AS112"),
        ("3fff::/20", "reserved for documentation"),
    )
)
_OUTSIDE_GLOBAL_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::/128", "an address of this host itself"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
    )
)
# RFC 6052: hosts with IPv6 only reach the IPv4 address in the last 32 bits through these.
_NAT64 = IPv6Network("64:ff9b::/96")
# RFC 5214: an interface identifier that begins so, whatever the network, ends in an IPv4 address
# that the packet is tunnelled to.
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def find_address_fault(address: str, allowed: Sequence[IPNetwork]) -> str | None:
    """Why nothing may be sent to `address` ("a private address"), or None if it may.

    allowed: networks that the operator lets through, whatever they are. An IPv6 address that
    stands for an IPv4 one (mapped, or behind NAT64) counts as that; one that tunnels to an IPv4
    address (6to4, Teredo, ISATAP) is let through only if both addresses are.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an IP address"
    ip = _unwrap_ipv4(ip)
    return _find_fault_of_one(ip, allowed) or next(
        (reason for end in _tunnel_ends(ip) if (reason := _find_fault_of_one(end, allowed))), None
    )


def _find_fault_of_one(ip: IPv4Address | IPv6Address, allowed: Sequence[IPNetwork]) -> str | None:
    if any(ip in network for network in allowed):
        return None
    if isinstance(ip, IPv4Address):
        return _find_reason(ip, _REFUSED_V4)
    if ip not in _GLOBAL_V6:
        return _find_reason(ip, _OUTSIDE_GLOBAL_V6) or "not a public address"
    return _find_reason(ip, _REFUSED_V6)


def parse_networks(cidrs: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Networks from CIDR notation; raises ValueError naming the one that is none."""
    return tuple(ip_network(cidr.strip()) for cidr in cidrs if cidr.strip())


def _unwrap_ipv4(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


def _tunnel_ends(ip: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    if isinstance(ip, IPv4Address):
        return
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo
    if (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(int(ip) & 0xFFFFFFFF)


def _find_reason(
    ip: IPv4Address | IPv6Address,
    networks: Iterable[tuple[IPv4Network, str]] | Iterable[tuple[IPv6Network, str]],
) -> str | None:
    return next((reason for network, reason in networks if ip in network), None)
