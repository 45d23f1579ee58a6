"""System checks of egress: what is wrong is named before a worker stumbles over it."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from deliveries import checks
from tests.certificates import issue
from webhooks_portal.networks import read_networks


def ids(messages: list[Any]) -> list[str]:
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_a_pem_file_passes(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    path.write_bytes(issue(authority=True).pem)
    settings.WEBHOOKS_EXTRA_CA_FILE = str(path)
    assert checks.check_extra_ca_file() == []


def test_a_missing_an_unreadable_and_a_wrong_file_are_errors(settings: Any, tmp_path: Path) -> None:
    for name, content, word in (
        ("missing.pem", None, "cannot be read (No such file"),
        ("text.pem", b"no certificate", "no certificate in PEM"),
        ("empty.pem", b"", "no certificate in PEM"),
        ("binary.pem", b"0\x82\x03\xff\x00", "no certificate in PEM"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        settings.WEBHOOKS_EXTRA_CA_FILE = str(path)
        messages = checks.check_extra_ca_file()
        assert ids(messages) == ["webhooks.E003"] and word in messages[0].msg, name
    settings.WEBHOOKS_EXTRA_CA_FILE = str(tmp_path)
    assert "Is a directory" in checks.check_extra_ca_file()[0].msg


def test_what_is_no_network_lets_nothing_through_and_is_named(settings: Any) -> None:
    networks, faults = read_networks(["10.0.0.0/8", " fd00::/8 ", "10.0.0.1/8", "intranet"])
    assert networks == [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    settings.WEBHOOKS_ALLOWED_NETWORKS = networks
    settings.WEBHOOKS_NETWORK_FAULTS = {"WEBHOOKS_ALLOWED_NETWORKS": faults}
    messages = checks.check_networks()
    assert ids(messages) == ["webhooks.E004", "webhooks.E004"]
    assert "10.0.0.1/8 has host bits set" in messages[0].msg and "intranet" in messages[1].msg


def test_a_network_of_all_addresses_is_a_warning(settings: Any) -> None:
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("::/0")]
    assert ids(checks.check_networks()) == ["webhooks.W004"]


@pytest.mark.parametrize(
    "url", ["", "http://proxy.example.com:3128", "socks5h://me:secret@10.0.0.1:1080/"]
)
def test_a_proxy_with_scheme_host_and_port_passes(url: str, settings: Any) -> None:
    settings.WEBHOOKS_EGRESS_PROXY = url
    assert checks.check_egress_proxy() == []


@pytest.mark.parametrize(
    "url",
    [
        "proxy.example.com:3128",
        "ftp://proxy:21",
        "http://proxy",
        "http://me:s3cret@proxy",
        "http://proxy:99999",
        "http://[::1",
        "http://proxy:3128/path",
    ],
)
def test_another_proxy_is_an_error_that_does_not_show_its_password(url: str, settings: Any) -> None:
    settings.WEBHOOKS_EGRESS_PROXY = url
    messages = checks.check_egress_proxy()
    assert ids(messages) == ["webhooks.E005"]
    assert "s3cret" not in messages[0].msg


def test_a_negative_publish_rate_is_an_error(settings: Any) -> None:
    settings.WEBHOOKS_PUBLISH_RATE = -1
    assert ids(checks.check_publish_rate()) == ["webhooks.E006"]
