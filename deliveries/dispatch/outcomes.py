"""What becomes of a delivery after an attempt: decided here, from values alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from deliveries.diagnosis.classification import classify
from deliveries.diagnosis.failure import failure_name
from deliveries.dispatch.retry_schedule import next_attempt, parse_retry_after
from deliveries.models import Delivery, DeliveryStatus, Outcome, Trigger
from deliveries.transport.client import TransportResult
from subscriptions.identifiers import uuid7
from subscriptions.platforms.rules import PlatformRules

# An attempt whose outcome is unknown is made again at once, this often beyond the schedule: a
# delivery that kills its sender each time must come to an end.
MAX_UNKNOWN_EXTRA = 10
# A fault of ours (a wrong key, no proxy) uses up none of the schedule's requests: it is tried again
# after 1, 2, 4 ... minutes, an hour at most, for four days.
OWN_FAULT_PAUSE = timedelta(minutes=1)
MAX_OWN_FAULT_PAUSE = timedelta(hours=1)
MAX_OWN_FAULTS = 100


class Claim(NamedTuple):
    """A delivery that this process may send, as it was when it was claimed."""

    delivery_id: UUID
    event_key: str  # finds the event's body; from SQLite it comes without dashes
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
        """From a row with its endpoint, broadcaster and platform loaded."""
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
    """A row of the attempt log, its columns by name."""

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
    """An attempt and the state its delivery goes to."""

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


def last_failure(failure: str, status_code: int | None) -> str:
    """A failure in a few words, as it ends a sentence."""
    if failure == "interrupted":
        return "was cut short: its outcome is unknown"
    if failure == "unexpected_status":
        return f"answered HTTP {status_code}, which does not count as success"
    if status_code is not None:
        return f"answered HTTP {status_code}"
    words = failure_name(failure)
    return f"failed: {words if words[:2].isupper() else words[:1].lower() + words[1:]}"


def retry_reason(claim: Claim) -> str:
    """Why this request is made again; "" for the first."""
    if claim.trigger == Trigger.RESEND:
        return "Resent by hand."
    if claim.attempt_count == 0:
        return ""
    if claim.trigger == Trigger.REPLAY:
        return "Delivered again by a replay."
    return f"Attempt {claim.attempt_count} {last_failure(claim.failure, claim.status_code)}."


def decide(
    claim: Claim,
    result: TransportResult,
    *,
    headers: tuple[tuple[str, str], ...],
) -> Settled:
    """The log row and the next state for what the transport brought back.

    `headers` are the request's as the log may show them.
    """
    verdict = classify(result, success_codes=claim.rules.success_codes)
    # By place: by name, it takes longer.
    attempt = AttemptRecord(
        uuid7(),
        claim.attempt_count + 1,
        claim.trigger,
        verdict.outcome,
        verdict.failure or "",
        retry_reason(claim),
        result.sent_at,
        result.responded_at,
        result.duration_ms,
        result.dns_ms,
        result.connect_ms,
        result.tls_ms,
        result.first_byte_ms,
        result.remote_address,
        claim.url,
        headers,
        result.status_code,
        result.headers,
        result.body,
        result.truncated,
        verdict.evidence,
    )
    if verdict.outcome == "succeeded":
        return Settled(
            claim, attempt, DeliveryStatus.DELIVERED, "", None, claim.scheduled_count + 1
        )
    # Not from now: a delay counts from when the attempt ended, however busy we were since.
    retry_after = parse_retry_after(_header(result.headers, "retry-after"), result.ended_at)
    return _after_failure(claim, attempt, ended_at=result.ended_at, retry_after=retry_after)


def unknown(claim: Claim, now: datetime) -> Settled:
    """For an attempt that was cut short by the end of its sender: due again at once."""
    attempt = AttemptRecord(
        id=uuid7(),
        number=claim.attempt_count + 1,
        trigger=claim.trigger,
        outcome=Outcome.UNKNOWN,
        failure="interrupted",
        retry_reason=retry_reason(claim),
        sent_at=now,
        request_url=claim.url,
    )
    if claim.trigger == Trigger.TEST:
        reason = "The test was cut short. A test is not retried."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, 0)
    if claim.attempt_count + 1 >= claim.max_attempts + MAX_UNKNOWN_EXTRA:
        if claim.trigger == Trigger.RESEND:
            return _after_failed_resend(claim, attempt, last_failure(attempt.failure, None))
        reason = f"Given up after {claim.attempt_count + 1} attempts that were cut short."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, claim.scheduled_count)
    return Settled(claim, attempt, DeliveryStatus.PENDING, "", now, claim.scheduled_count)


def not_sent(claim: Claim, now: datetime, *, reason: str) -> Settled:
    """For an attempt that we could not even make, by a fault of ours; tried again later."""
    attempt = AttemptRecord(
        id=uuid7(),
        number=claim.attempt_count + 1,
        trigger=claim.trigger,
        outcome=Outcome.FAILED,
        failure="internal",
        retry_reason=retry_reason(claim),
        sent_at=now,
        request_url=claim.url,
        evidence={"reason": reason},
    )
    return _after_failure(claim, attempt, ended_at=now, retry_after=None)


def _after_failure(
    claim: Claim, attempt: AttemptRecord, *, ended_at: datetime, retry_after: datetime | None
) -> Settled:
    words = last_failure(attempt.failure, attempt.status_code)
    if claim.trigger == Trigger.TEST:
        reason = f"The test {words}. A test is not retried."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, 1)
    if attempt.failure == "gone":
        reason = "The endpoint answered 410 Gone: it wants no more, so it is not retried."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, claim.scheduled_count)
    if claim.trigger == Trigger.RESEND:
        return _after_failed_resend(claim, attempt, words)
    if attempt.failure == "internal":
        return _after_own_fault(claim, attempt, ended_at)
    count = claim.scheduled_count + 1
    due = next_attempt(
        rules=claim.rules, scheduled_count=count, ended_at=ended_at, retry_after=retry_after
    )
    if due is None:
        reason = f"All {count} requests allowed were made; the last one {words}."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, count)
    return Settled(claim, attempt, DeliveryStatus.PENDING, "", due, count)


def _after_own_fault(claim: Claim, attempt: AttemptRecord, ended_at: datetime) -> Settled:
    count = claim.scheduled_count
    faults = attempt.number - count
    if faults > MAX_OWN_FAULTS:
        reason = f"Given up after {attempt.number} attempts; the last one failed on our side."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, count)
    pause = min(OWN_FAULT_PAUSE * 2 ** min(faults - 1, 10), MAX_OWN_FAULT_PAUSE)
    return Settled(claim, attempt, DeliveryStatus.PENDING, "", ended_at + pause, count)


def _after_failed_resend(claim: Claim, attempt: AttemptRecord, words: str) -> Settled:
    """A resend changes no plan: the planned retry stays, and so does an end already reached."""
    count = claim.scheduled_count
    if claim.planned_at is not None:
        return Settled(claim, attempt, DeliveryStatus.PENDING, "", claim.planned_at, count)
    if claim.status_before == DeliveryStatus.DELIVERED:
        reason = f"Delivered before; the resend by hand {words}."
        return Settled(claim, attempt, DeliveryStatus.DELIVERED, reason, None, count)
    reason = f"The resend by hand {words}."
    return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, count)


def _header(headers: tuple[tuple[str, str], ...], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
