"""Requests to the transport, and its results.

Both are named tuples: some ten thousand of each are made in a second, and a frozen dataclass takes
five times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

MAX_BODY_READ_BYTES = 64 * 1024
MAX_BODY_KEPT_BYTES = 16 * 1024
# Chunks of one byte each would cost as much work as 65,536 responses.
MAX_BODY_PIECES = 4_096
MAX_HEADER_BYTES = 64 * 1024
# Thousands of tiny lines would take many times their bytes in memory, and in the log.
MAX_HEADER_LINES = 1_000
MAX_CONNECT_SECONDS = 10.0

Phase = Literal["dns", "connect", "tls", "send", "wait", "read"]


class OutboundRequest(NamedTuple):
    """A POST request. key comes back with the result; body and headers are sent as given.

    timeout_seconds: for the whole request, from the look-up of the name to the last byte of the
    response.
    """

    key: Any
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class TransportError:
    """Why there is no complete response. code: libcurl's number; phase: how far the request got.

    blocked_reason, blocked_address: set if our own rules refused an address or URL; for the
    operator only, because they reveal the inside of the network. evidence: can be written as JSON.
    """

    code: int
    message: str
    phase: Phase
    blocked_reason: str | None = None
    blocked_address: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


class TransportResult(NamedTuple):
    """The outcome of one request.

    sent_at: when the request was started, before look-up and connection. responded_at: when the
    response had arrived, None if none did. duration_ms = dns_ms + connect_ms + tls_ms +
    first_byte_ms (waiting for the response's first byte) + reading the response; a part is None
    if it did not happen, as on a kept connection. headers: of the final response, in order, as
    Latin-1. body: its first 16 KiB; truncated: there was more. certificate_expires_at: of the
    receiver's certificate, if one was seen on this connection or an earlier one. sent_again: the
    receiver had closed the kept connection, so the request was repeated on a new one within this
    attempt.
    """

    key: Any
    sent_at: datetime
    responded_at: datetime | None
    duration_ms: float
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    remote_address: str
    status_code: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    error: TransportError | None
    certificate_expires_at: datetime | None = None
    sent_again: bool = False

    @property
    def ended_at(self) -> datetime:
        """When the response had arrived, or the request was given up."""
        return self.responded_at or self.sent_at + timedelta(milliseconds=self.duration_ms)
