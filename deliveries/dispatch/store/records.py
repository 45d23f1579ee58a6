"""The values that go between the dispatcher and a store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from deliveries.models import Delivery, Outcome, Trigger
from subscriptions.platforms.rules import PlatformRules

# What a claim reads of a delivery, in this order; then comes when it was due.
CLAIM_COLUMNS: tuple[str, ...] = (
    "id",
    "event_id",
    "endpoint_id",
    "broadcaster_id",
    "topic",
    "test",
    "trigger",
    "attempt_count",
    "scheduled_count",
    "max_attempts",
    "planned_at",
    "status_before",
    "failure",
    "status_code",
)


class LaneRow(NamedTuple):
    """An endpoint that has something due, with what decides whether it may be sent to now."""

    endpoint_id: int
    broadcaster_id: int
    rate_limit: int | None  # requests per second
    is_sendable: bool
    is_paused: bool = False  # the operator has paused the whole broadcaster
    due_count: int = 0  # due deliveries in the window; 0 if known from an earlier scan


class Claim(NamedTuple):
    """A delivery that this process may send, as it was when it was claimed."""

    delivery_id: UUID
    event_key: str  # the event's primary key as the store writes it; finds the body
    endpoint_id: int
    broadcaster_id: int
    topic: str
    test: bool
    trigger: str
    attempt_count: int
    scheduled_count: int
    max_attempts: int
    planned_at: datetime | None
    status_before: str
    failure: str
    status_code: int | None
    rules: PlatformRules
    url: str

    @classmethod
    def of(cls, delivery: Delivery) -> Claim:
        """From a delivery with its endpoint, broadcaster and platform loaded."""
        return cls(
            delivery_id=delivery.pk,
            event_key=str(delivery.event_id),
            endpoint_id=delivery.endpoint_id,
            broadcaster_id=delivery.broadcaster_id,
            topic=delivery.topic,
            test=delivery.test,
            trigger=delivery.trigger,
            attempt_count=delivery.attempt_count,
            scheduled_count=delivery.scheduled_count,
            max_attempts=delivery.max_attempts,
            planned_at=delivery.planned_at,
            status_before=delivery.status_before,
            failure=delivery.failure,
            status_code=delivery.status_code,
            rules=delivery.endpoint.broadcaster.rules,
            url=delivery.endpoint.url,
        )


class AttemptRecord(NamedTuple):
    """What is logged of an attempt. Times in UTC, durations in milliseconds."""

    id: UUID
    number: int
    trigger: str
    outcome: str
    failure: str
    retry_reason: str
    sent_at: datetime
    responded_at: datetime | None = None
    duration_ms: float | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    remote_address: str = ""
    request_url: str = ""
    request_headers: tuple[tuple[str, str], ...] = ()
    status_code: int | None = None
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: bytes = b""
    response_truncated: bool = False
    evidence: Mapping[str, Any] = MappingProxyType({})


class Settled(NamedTuple):
    """The outcome of an attempt: its record, and the state that its delivery goes to."""

    claim: Claim
    attempt: AttemptRecord
    status: str
    status_reason: str
    next_attempt_at: datetime | None
    scheduled_count: int

    @property
    def trigger(self) -> str:
        """What the next attempt, if there is one, is made for."""
        if self.claim.trigger == Trigger.RESEND and self.attempt.outcome == Outcome.UNKNOWN:
            return Trigger.RESEND
        return Trigger.RETRY if self.next_attempt_at else self.claim.trigger


class HourKey(NamedTuple):
    """Whose counters of which hour. `hour`: whole hours since the Unix epoch."""

    endpoint_id: int
    broadcaster_id: int
    hour: int


class HealthChange(NamedTuple):
    """What a batch of outcomes says about an endpoint's health."""

    endpoint_id: int
    consecutive_failures: int  # since the last success of the batch
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str
    last_status_code: int | None
