"""Transport: the one way out. Every delivery is sent from here, by libcurl, from one thread.

`Transport` takes an `OutboundRequest` and gives a `TransportResult`, whatever the receiver does: a
request never takes longer than its timeout, and the bytes of a response are bounded. An address is
judged when its name is resolved and again when the socket is opened; no redirect is followed. The
room knows neither database nor settings nor what a delivery is: it takes values and gives values.
"""

from deliveries.transport.client import Transport
from deliveries.transport.result import (
    MAX_CONNECT_SECONDS,
    MAX_HEADER_BYTES,
    OutboundRequest,
    Phase,
    TransportError,
    TransportResult,
)
from deliveries.transport.transfer import USER_AGENT

__all__ = [
    "MAX_CONNECT_SECONDS",
    "MAX_HEADER_BYTES",
    "USER_AGENT",
    "OutboundRequest",
    "Phase",
    "Transport",
    "TransportError",
    "TransportResult",
]
