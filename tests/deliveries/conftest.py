from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from tests.portal_clients import Portal, make_portal
from tests.receiver import Receiver


@pytest.fixture
def portal(db: None) -> Portal:
    return make_portal()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """On loopback, to which deliveries may go while it is there."""
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver() as started:
        yield started
