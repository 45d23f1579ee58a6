"""A request between `Transport.add` and its result, and its result if it is never sent."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from deliveries.transport.result import OutboundRequest, TransportError, TransportResult
from subscriptions.endpoints.url_rules import EndpointURL


class PendingRequest:
    """A request that has no result yet. added_at: monotonic seconds; sent_at: the same moment, UTC.

    dns_seconds: how long the look-up of the name took, None without one. needs_new_connection: no
    kept one will do. sent_again: it was sent on a kept connection that its receiver had closed.
    """

    __slots__ = (
        "added_at",
        "dns_seconds",
        "needs_new_connection",
        "request",
        "sent_again",
        "sent_at",
        "target",
    )

    def __init__(self, request: OutboundRequest, target: EndpointURL) -> None:
        self.request = request
        self.target = target
        self.added_at = time.monotonic()
        self.sent_at = datetime.now(UTC)
        self.dns_seconds: float | None = None
        self.needs_new_connection = False
        self.sent_again = False


def result_without_response(pending: PendingRequest, error: TransportError) -> TransportResult:
    """The result of a request that was never handed to libcurl."""
    return TransportResult(
        key=pending.request.key,
        sent_at=pending.sent_at,
        responded_at=None,
        duration_ms=round((time.monotonic() - pending.added_at) * 1000, 3),
        dns_ms=to_milliseconds(pending.dns_seconds),
        connect_ms=None,
        tls_ms=None,
        first_byte_ms=None,
        remote_address="",
        status_code=None,
        headers=(),
        body=b"",
        truncated=False,
        error=error,
        sent_again=pending.sent_again,
    )


def to_milliseconds(seconds: float | None) -> float | None:
    """Milliseconds, to the microsecond."""
    return None if seconds is None else round(seconds * 1000, 3)
