from collections.abc import Iterator
from typing import Any

import pytest

from deliveries.transport import Transport, transfer
from tests.attacks.portal_walk import Victim, furnished
from tests.deliveries.transports import open_transport
from tests.portal_clients import Portal, make_portal
from tests.receiver import Receiver


@pytest.fixture
def portal(db: None) -> Portal:
    return make_portal()


@pytest.fixture
def victim(portal: Portal) -> Victim:
    return furnished(portal)


@pytest.fixture
def transport() -> Iterator[Transport]:
    with open_transport() as transport:
        yield transport


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that sockets are asked for, recorded instead of connected."""
    asked: list[str] = []

    def recorded(address: Any) -> Any:
        asked.append(address[3][0])
        raise OSError(101, "recorded, not connected")

    monkeypatch.setattr(transfer, "_open_socket", recorded)
    return asked


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that sockets are opened to, really."""
    asked: list[str] = []
    real = transfer._open_socket

    def recorded(address: Any) -> Any:
        asked.append(address[3][0])
        return real(address)

    monkeypatch.setattr(transfer, "_open_socket", recorded)
    return asked
