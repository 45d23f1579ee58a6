"""Attempts as the delivery page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from deliveries.diagnosis.attempts import explain_attempt
from deliveries.diagnosis.failure import failure_name
from deliveries.event_log.bodies import ShownBody, header_value, shown_body, visible
from deliveries.event_log.curl_command import curl_command
from deliveries.event_log.timeline import done
from deliveries.models import Attempt, Delivery

# A part of the time bar is drawn at least this wide, of 100.
_LEAST_WIDTH = 0.6


@dataclass(frozen=True, slots=True)
class Timing:
    """A part of an attempt's duration; `left` and `width` in hundredths of the whole."""

    name: str
    kind: str
    ms: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    attempt: Attempt
    title: str
    explanation: Any
    timings: tuple[Timing, ...]
    response_headers: tuple[tuple[str, str], ...]
    response_body: ShownBody
    curl: str
    changes: tuple[str, ...]  # against the attempt before
    certificate_expires_at: datetime | None


def shown_attempts(delivery: Delivery, attempts: Sequence[Attempt]) -> list[ShownAttempt]:
    """In the order given, by number. `delivery` has its event, endpoint and platform loaded."""
    shown = []
    before: Attempt | None = None
    for step, attempt in zip(done(delivery, attempts), attempts, strict=True):
        shown.append(_shown(delivery, attempt, step.title, before))
        before = attempt
    return shown


def _shown(
    delivery: Delivery, attempt: Attempt, title: str, before: Attempt | None
) -> ShownAttempt:
    content_type = header_value(attempt.response_headers, "content-type")
    return ShownAttempt(
        attempt=attempt,
        title=title,
        explanation=explain_attempt(attempt, delivery.endpoint, delivery.broadcaster.rules),
        timings=tuple(timings(attempt)),
        response_headers=tuple((visible(n), visible(v)) for n, v in attempt.response_headers),
        response_body=shown_body(bytes(attempt.response_body), content_type),
        curl=curl_command(
            url=attempt.request_url,
            headers=attempt.request_headers,
            body=delivery.event.body,
        ),
        changes=tuple(_changes(before, attempt)) if before else (),
        certificate_expires_at=_certificate_expiry(attempt.evidence),
    )


def timings(attempt: Attempt) -> Iterator[Timing]:
    """The parts of the whole, in order; what is left after the first byte is reading."""
    whole = attempt.duration_ms
    if not whole:
        return
    parts = [
        ("Look up the name", "dns", attempt.dns_ms),
        ("Connect", "connect", attempt.connect_ms),
        ("TLS handshake", "tls", attempt.tls_ms),
        ("Wait for the first byte", "wait", attempt.first_byte_ms),
    ]
    known = sum(ms or 0.0 for _, _, ms in parts)
    rest = "Read the response" if attempt.status_code is not None else "Until it was given up"
    parts.append((rest, "read", max(0.0, whole - known)))
    left = 0.0
    for name, kind, ms in parts:
        if ms is None:
            continue
        width = min(100.0 * ms / whole, 100.0 - left)
        yield Timing(name, kind, ms, round(left, 2), round(max(width, _LEAST_WIDTH), 2))
        left += width


def _changes(before: Attempt, attempt: Attempt) -> Iterator[str]:
    pairs = [
        ("outcome", _outcome(before), _outcome(attempt)),
        ("URL", before.request_url, attempt.request_url),
        ("address", before.remote_address, attempt.remote_address),
    ]
    for name, old, new in pairs:
        if old and new and old != new:
            yield f"{name}: {old} before, now {new}"
    if attempt.status_code is not None and before.status_code == attempt.status_code:
        same = bytes(before.response_body) == bytes(attempt.response_body)
        yield "the same response body" if same else "another response body"


def _outcome(attempt: Attempt) -> str:
    if attempt.status_code is not None:
        return f"HTTP {attempt.status_code}"
    return failure_name(attempt.failure).lower() if attempt.failure else attempt.outcome


def _certificate_expiry(evidence: dict[str, Any]) -> datetime | None:
    value = evidence.get("certificate_expires_at")
    return parse_datetime(value) if isinstance(value, str) else None
