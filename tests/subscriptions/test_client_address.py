from types import SimpleNamespace

import pytest
from pytest_django import Settings

from subscriptions.client_address import client_address

PEER = "10.0.0.9"


def address(peer: str = PEER, forwarded: str | None = None) -> str | None:
    meta = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded
    return client_address(SimpleNamespace(META=meta))


def test_without_a_proxy_the_forwarded_header_is_ignored() -> None:
    assert address(forwarded="203.0.113.7") == PEER


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 192.0.2.2", "203.0.113.7"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "2001:DB8::7", "2001:db8::7"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        # fewer entries than proxies: a probe from inside, past the outer ones
        (2, "203.0.113.7", PEER),
        (1, "", PEER),
        (1, None, PEER),
        # a proxy that writes no address
        (1, "unknown", None),
    ],
)
def test_behind_proxies_the_address_is_the_entry_that_the_outermost_one_added(
    settings: Settings, hops: int, forwarded: str | None, expected: str | None
) -> None:
    settings.WEBHOOKS_PROXY_HOPS = hops
    assert address(forwarded=forwarded) == expected


def test_a_unix_socket_has_no_address() -> None:
    assert address(peer="") is None
