"""What the page of a delivery shows of each attempt: timings, response, and what has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from deliveries.diagnosis import failure_name
from deliveries.diagnosis.attempts import explain_attempt
from deliveries.event_log.bodies import RenderedBody, find_header, render_body, reveal_unseen
from deliveries.event_log.curl_command import curl_command
from deliveries.event_log.timeline import list_past_steps
from deliveries.models import Attempt, Delivery

# A part of the time bar is drawn at least this wide, in hundredths of the whole.
_MIN_WIDTH = 0.6


@dataclass(frozen=True, slots=True)
class Timing:
    """A part of an attempt's duration; `left` and `width` in hundredths of the whole."""

    name: str
    kind: str
    ms: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class AttemptDetails:
    """changes: what is different from the attempt before, in words."""

    attempt: Attempt
    title: str
    explanation: Any
    timings: tuple[Timing, ...]
    response_headers: tuple[tuple[str, str], ...]
    response_body: RenderedBody
    curl: str
    changes: tuple[str, ...]
    certificate_expires_at: datetime | None


def describe_attempts(delivery: Delivery, attempts: Sequence[Attempt]) -> list[AttemptDetails]:
    """The details of attempts, in the order given, which is that of their numbers.

    The delivery has its event, endpoint, broadcaster and platform loaded.
    """
    described = []
    before: Attempt | None = None
    for step, attempt in zip(list_past_steps(delivery, attempts), attempts, strict=True):
        described.append(_describe(delivery, attempt, step.title, before))
        before = attempt
    return described


def _describe(
    delivery: Delivery, attempt: Attempt, title: str, before: Attempt | None
) -> AttemptDetails:
    content_type = find_header(attempt.response_headers, "content-type")
    return AttemptDetails(
        attempt=attempt,
        title=title,
        explanation=explain_attempt(attempt, delivery.endpoint, delivery.broadcaster.rules),
        timings=tuple(_split_duration(attempt)),
        response_headers=tuple(
            (reveal_unseen(name), reveal_unseen(value)) for name, value in attempt.response_headers
        ),
        response_body=render_body(bytes(attempt.response_body), content_type),
        curl=curl_command(
            url=attempt.request_url,
            headers=attempt.request_headers,
            body=delivery.event.body,
        ),
        changes=tuple(_compare(before, attempt)) if before else (),
        certificate_expires_at=_read_certificate_expiry(attempt.evidence),
    )


def _split_duration(attempt: Attempt) -> Iterator[Timing]:
    """The parts of an attempt's duration, in order; what is left over is reading the response."""
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
        yield Timing(name, kind, ms, round(left, 2), round(max(width, _MIN_WIDTH), 2))
        left += width


def _compare(before: Attempt, attempt: Attempt) -> Iterator[str]:
    pairs = [
        ("outcome", _name_outcome(before), _name_outcome(attempt)),
        ("URL", before.request_url, attempt.request_url),
        ("address", before.remote_address, attempt.remote_address),
    ]
    for name, old, new in pairs:
        if old and new and old != new:
            yield f"{name}: {old} before, now {new}"
    if attempt.status_code is not None and before.status_code == attempt.status_code:
        same = bytes(before.response_body) == bytes(attempt.response_body)
        yield "the same response body" if same else "another response body"


def _name_outcome(attempt: Attempt) -> str:
    if attempt.status_code is not None:
        return f"HTTP {attempt.status_code}"
    return failure_name(attempt.failure).lower() if attempt.failure else attempt.outcome


def _read_certificate_expiry(evidence: dict[str, Any]) -> datetime | None:
    value = evidence.get("certificate_expires_at")
    return parse_datetime(value) if isinstance(value, str) else None
