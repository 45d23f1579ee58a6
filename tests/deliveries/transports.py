"""A transport for tests: it may call loopback, and trusts the suite's own authority."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from deliveries.transport import OutboundRequest, Transport, TransportError, TransportResult
from subscriptions.endpoints.addresses import parse_networks
from tests import certificates

LOOPBACK = parse_networks(["127.0.0.0/8", "::1/128"])
BODY = b'{"type":"purchase.completed","id":"evt_1","created":1,"data":{"amount":475.5}}'
HEADERS = (("Content-Type", "application/json"), ("User-Agent", "Webhooks-Portal/test"))


class Names:
    """A resolver of the test's own: name -> addresses, or the error to raise, or seconds to wait
    before there is no answer. `asked` are the names that were looked up."""

    def __init__(self, **names: Any) -> None:
        self.names = {name.replace("_", "."): value for name, value in names.items()}
        self.asked: list[str] = []

    def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        value = self.names.get(name, socket.gaierror(socket.EAI_NONAME, "Name not known"))
        if isinstance(value, float):
            time.sleep(value)
            value = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if isinstance(value, Exception):
            raise value
        return list(value)


@contextmanager
def open_transport(**options: Any) -> Iterator[Transport]:
    with tempfile.NamedTemporaryFile(suffix=".pem") as authority:
        authority.write(certificates.authority().pem)
        authority.flush()
        settings: dict[str, Any] = {"allowed_networks": LOOPBACK, "ca_file": authority.name}
        transport = Transport(**settings | options)
        try:
            yield transport
        finally:
            transport.close()


def request(url: str, key: Any = "key", **changes: Any) -> OutboundRequest:
    values: dict[str, Any] = {"headers": HEADERS, "body": BODY, "timeout_seconds": 3.0} | changes
    return OutboundRequest(key=key, url=url, **values)


def send(transport: Transport, url: str, **changes: Any) -> TransportResult:
    """The result of one request, made now."""
    transport.add(request(url, **changes))
    (result,) = results(transport, 1)
    return result


def error_of(result: TransportResult) -> TransportError:
    """The error of a request that brought no complete response."""
    assert result.error is not None
    return result.error


def results(
    transport: Transport, count: int, within_seconds: float = 20.0
) -> list[TransportResult]:
    end = time.monotonic() + within_seconds
    got: list[TransportResult] = []
    while len(got) < count and time.monotonic() < end:
        got += transport.poll(0.5)
    assert len(got) == count, f"{len(got)} results in place of {count}"
    return got
