import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.endpoints.addresses import parse_networks
from subscriptions.endpoints.url_rules import check_url, parse_url
from subscriptions.errors import Refused

LOOPBACK = parse_networks(["127.0.0.0/8", "::1/128"])
# Addresses that nothing may be sent to, in the spellings that clients, resolvers and browsers take.
FORBIDDEN_HOSTS = """
    127.0.0.1 127.1 127.0.1 127.0.0.1. 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 017700000001
    0177.0.0.1 0177.1 127.0x0.0.1 127.0.0.0x1 00000177.0.0.1 0 0.0.0.0 0x0 0x
    127.127.127.127 127。0。0。1 127\uff0e0\uff0e0\uff0e1 \uff11\uff12\uff17.0.0.1 ①②⑦.0.0.1
    ¹²⁷.0.0.1 10.0.0.5 167772165 012.0.0.5 0xa.0.0.5 192.168.1.1 0xc0a80101 3232235777
    172.16.0.1 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518
    100.100.100.200 168.63.129.16 0xA83F8110 198.18.0.1 192.0.0.192 224.0.0.1
    255.255.255.255 4294967295 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1]
    [::ffff:7f00:1] [0:0:0:0:0:ffff:10.0.0.1] [::127.0.0.1] [64:ff9b::169.254.169.254]
    [fe80::1] [fe80::1%eth0] [fe80::1%25eth0] [fd00:ec2::254] [fc00::] [ff02::1]
    [2002:7f00:1::] [2001::1] [2001:db8::1] [3fff::1] [2620:4f:8000::1] [100::1] localhost
    LOCALHOST localhost. foo.localhost ⓛocalhost
"""


def check(
    url: Any, *, https_required: bool = False, own_hosts: Any = frozenset(), allowed: Any = ()
) -> str:
    return check_url(
        url, https_required=https_required, own_hosts=own_hosts, allowed_networks=allowed
    )


def reason(url: Any, **rules: Any) -> str:
    with pytest.raises(Refused) as refused:
        check(url, **rules)
    assert refused.value.code == "url_not_allowed"
    assert refused.value.pointer == "/url"
    return refused.value.detail


@pytest.mark.parametrize(
    ("given", "normalised"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/Hook?a=B", "https://example.com/Hook?a=B"),
        ("http://example.com:80?x=1", "http://example.com/?x=1"),
        ("https://example.com:8443/x", "https://example.com:8443/x"),
        ("https://example.com./x", "https://example.com/x"),
        (
            "https://bücher.example/grüße?ü=1",
            "https://xn--bcher-kva.example/gr%C3%BC%C3%9Fe?%C3%BC=1",
        ),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://ⓔxample.com/", "https://example.com/"),
        ("https://my_host.example.com/", "https://my_host.example.com/"),
        ("https://a--b.example.com/%7Ex;y=1", "https://a--b.example.com/%7Ex;y=1"),
        ('https://example.com/{a}|"b"', "https://example.com/%7Ba%7D%7C%22b%22"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://0x8.010.2056/", "https://8.8.8.8/"),
        ("https://[2001:4860:4860:0::8888]/x", "https://[2001:4860:4860::8888]/x"),
        ("https://[::ffff:8.8.8.8]:8443/", "https://[::ffff:808:808]:8443/"),
    ],
)
def test_a_url_is_normalised_to_its_one_spelling(given: Any, normalised: Any) -> None:
    assert check(given) == normalised
    assert check(normalised) == normalised


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS.split())
def test_every_spelling_of_a_forbidden_address_is_refused(host: Any) -> None:
    assert "public host" in reason(f"http://{host}:8080/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "full URL"),
        ("example.com/hook", "full URL"),
        ("//example.com/hook", "full URL"),
        ("https:/example.com", "full URL"),
        ("ftp://example.com/", "ftp://"),
        ("file:///etc/passwd", "file://"),
        ("javascript://example.com/%0aalert(1)", "javascript://"),
        ("gopher://example.com/", "gopher://"),
        ("https://user@example.com/", "user name"),
        ("https://user:pass@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com\\@127.0.0.1/", "backslash"),
        ("https://example.com/a b", "space"),
        (" https://example.com/", "space"),
        ("https://example.com/\r\nX: y", "control"),
        ("https://example.com/\x00", "control"),
        ("https://exam\u200bple.com/", "control"),
        ("https://example.com/\ud800", "control"),
        ("https://", "host name"),
        ("https:///hook", "host name"),
        ("https://.example.com/", "host name"),
        ("https://a..b/", "host name"),
        ("https://-a.example.com/", "host name"),
        ("https://%31%32%37.0.0.1/", "host name"),
        ("https://exa$mple.com/", "host name"),
        (f"https://{'a' * 64}.com/", "host name"),
        ("https://☃.net/", "international"),
        ("https://1.2.3.4.5/", "IPv4"),
        ("https://1.2.3.256/", "IPv4"),
        ("https://4294967296/", "IPv4"),
        ("https://08.1.1.1/", "IPv4"),
        ("https://example.1/", "IPv4"),
        ("https://[1.2.3.4]/", "IPv6"),
        ("https://[::1/", "host name|port"),
        ("https://[]/", "IPv6"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:0004430000/", "port"),
        ("https://example.com:8x/", "port"),
        ("https://example.com:-1/", "port"),
        ("https://example.com:٨٠/", "port"),
        ("https://example.com:22/", "Port 22"),
        ("https://example.com:1023/", "Port 1023"),
        (f"https://example.com/{'a' * 2048}", "2048"),
        (f"https://example.com/{'ü' * 1000}", "2048"),
    ],
)
def test_a_url_that_breaks_a_rule_is_refused_in_words(url: Any, words: Any) -> None:
    assert re.search(words, reason(url))


def test_http_is_refused_if_the_platform_requires_https() -> None:
    assert "https" in reason("http://example.com/", https_required=True)
    assert check("https://example.com/", https_required=True)


def test_an_own_host_is_refused_on_all_ports_or_on_the_one_named() -> None:
    own = frozenset({"portal.example", "localhost:8000"})
    for url in ("https://portal.example/", "http://PORTAL.example.:8080/x"):
        assert "portal itself" in reason(url, own_hosts=own)
    assert "portal itself" in reason("http://localhost:8000/", own_hosts=own, allowed=LOOPBACK)
    assert check("http://localhost:9000/", own_hosts=own, allowed=LOOPBACK)


def test_an_allowed_network_lets_its_addresses_through_and_weakens_nothing_else() -> None:
    assert check("http://127.0.0.1:8080/", allowed=LOOPBACK)
    assert check("http://[::1]:8080/", allowed=LOOPBACK)
    assert check("http://localhost:8080/", allowed=LOOPBACK)
    assert "Port 22" in reason("http://127.0.0.1:22/", allowed=LOOPBACK)
    assert "private" in reason("http://10.0.0.1/", allowed=LOOPBACK)
    assert "user name" in reason("http://u@127.0.0.1/", allowed=LOOPBACK)


def test_a_password_in_a_url_is_not_repeated() -> None:
    assert "hunter2" not in reason("https://user:hunter2@example.com/", https_required=True)


@given(st.text(max_size=60))
def test_anything_typed_is_normalised_once_or_refused(text: Any) -> None:
    for url in (text, "https://" + text, "http://example.com/" + text):
        try:
            once = str(parse_url(url))
        except Refused:
            continue
        assert once.isascii()
        assert str(parse_url(once)) == once
