"""What leaving the field of the URL says of the certificate behind it, tried with real ones."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from pytest_django import Settings

from subscriptions.endpoints.url_preview import UrlPreview, preview_url
from tests import certificates
from tests.certificates import Certificate
from tests.portal_clients import Portal
from tests.receiver import Receiver


@pytest.fixture
def look(portal: Portal, settings: Settings, tmp_path: Path) -> Callable[[str], UrlPreview]:
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificates.authority().pem)
    settings.WEBHOOKS_EXTRA_CA_FILE = str(authority)
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    return lambda url: preview_url(url, portal.live.rules)


@pytest.mark.parametrize(
    ("certificate", "kind", "words"),
    [
        (certificates.good, "fine", "localhost may be reached. Its certificate is good."),
        (certificates.expired, "warning", "has expired: renew it"),
        (certificates.not_yet_valid, "warning", "is not valid yet"),
        (certificates.wrong_name, "warning", "is for other names"),
        (certificates.self_signed, "warning", "is signed by itself"),
        (certificates.private_authority, "warning", "an authority that is not known here"),
        (certificates.incomplete_chain, "warning", "serve the full chain"),
    ],
)
def test_the_preview_says_whether_the_certificate_is_good(
    look: Callable[[str], UrlPreview],
    certificate: Callable[[], Certificate],
    kind: str,
    words: str,
) -> None:
    with Receiver(certificate=certificate()) as receiver:
        finding = look(f"https://localhost:{receiver.port}/in")
        assert (finding.kind, words in finding.text) == (kind, True), finding
        assert receiver.requests == []


def test_the_preview_says_that_a_port_speaks_no_tls_or_is_closed(
    look: Callable[[str], UrlPreview],
) -> None:
    with Receiver(greeting=b"220 mail.example ESMTP\r\n") as receiver:
        assert "does not answer in TLS" in look(f"https://127.0.0.1:{receiver.port}/").text
    with Receiver() as receiver:
        port = receiver.port
        text = look(f"https://127.0.0.1:{port}/").text
        assert "did not answer in TLS within 2 seconds" in text
        assert look(f"http://127.0.0.1:{port}/").kind == "fine"
    assert "nothing takes connections" in look(f"https://127.0.0.1:{port}/").text


def test_an_address_that_is_not_allowed_is_not_connected_to(
    look: Callable[[str], UrlPreview], settings: Settings
) -> None:
    settings.WEBHOOKS_ALLOWED_NETWORKS = []
    with Receiver(certificate=certificates.good()) as receiver:
        assert look(f"https://127.0.0.1:{receiver.port}/").kind == "fault"
        assert receiver.connections == 0
