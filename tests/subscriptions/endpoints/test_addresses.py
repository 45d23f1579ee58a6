import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.endpoints.addresses import find_address_fault, parse_networks

FORBIDDEN = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::7f00:1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c:0:0:f5ff:fffe",
    "2001:10::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "5f00::1",
    "4000::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "3ffe::1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused_with_a_reason(address: Any) -> None:
    assert find_address_fault(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_let_through(address: Any) -> None:
    assert find_address_fault(address, ()) is None


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_python_calls_private_or_not_global_gets_through(address: Any) -> None:
    if not address.is_global or address.is_multicast or address.is_private:
        assert find_address_fault(str(address), ()) is not None


@given(st.ip_addresses(v=6))
def test_only_global_unicast_ipv6_gets_through(address: Any) -> None:
    outside = address not in ipaddress.ip_network("2000::/3")
    embedded = address.ipv4_mapped or address in ipaddress.ip_network("64:ff9b::/96")
    if outside and not embedded:
        assert find_address_fault(str(address), ()) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_that_stands_for_an_ipv4_one_counts_as_that(address: Any) -> None:
    assert find_address_fault(f"::ffff:{address}", ()) == find_address_fault(str(address), ())
    assert find_address_fault(f"64:ff9b::{address}", ()) == find_address_fault(str(address), ())


def test_only_allowed_networks_are_let_through() -> None:
    allowed = parse_networks(["10.1.0.0/16", "fd12::/16"])
    assert find_address_fault("10.1.2.3", allowed) is None
    assert find_address_fault("::ffff:10.1.2.3", allowed) is None
    assert find_address_fault("fd12::5", allowed) is None
    assert find_address_fault("10.2.0.1", allowed) == "a private address"
    assert find_address_fault("127.0.0.1", allowed) == "a loopback address"
    assert find_address_fault("fd13::5", allowed) == "a private address"


def test_a_bad_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        parse_networks(["127.0.0.0/8", "10.0.0.0/33"])
