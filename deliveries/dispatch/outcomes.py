"""Decides what becomes of a delivery after an attempt. Pure: values in, values out.

When a failed delivery is tried again, `decide` takes from `retry_schedule`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from deliveries.diagnosis import Failure, classify, failure_name
from deliveries.dispatch.retry_schedule import next_attempt, parse_retry_after
from deliveries.dispatch.store.records import AttemptRecord, Claim, Settled
from deliveries.models import DeliveryStatus, Outcome, Trigger
from deliveries.transport import TransportResult
from subscriptions.identifiers import uuid7

# An attempt whose outcome is unknown is repeated at once, this often beyond the schedule: a delivery
# that kills its sender every time must come to an end.
MAX_UNKNOWN_EXTRA = 10
# A failure of our own (a wrong key, no proxy) uses up no attempt of the schedule: the delivery is
# tried again after 1, 2, 4 ... minutes, at most an hour, for four days.
OWN_FAULT_PAUSE = timedelta(minutes=1)
MAX_OWN_FAULT_PAUSE = timedelta(hours=1)
MAX_OWN_FAULTS = 100


def last_failure(failure: str, status_code: int | None) -> str:
    """The failure as the end of a sentence."""
    if failure == Failure.INTERRUPTED:
        return "was cut short: its outcome is unknown"
    if failure == Failure.UNEXPECTED_STATUS:
        return f"answered HTTP {status_code}, which does not count as success"
    if status_code is not None:
        return f"answered HTTP {status_code}"
    words = failure_name(failure)
    return f"failed: {words if words[:2].isupper() else words[:1].lower() + words[1:]}"


def retry_reason(claim: Claim) -> str:
    """Why there is another attempt; "" for the first."""
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
        verdict.failure.value if verdict.failure else "",
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


def record_unknown(claim: Claim, now: datetime) -> Settled:
    """For an attempt that was cut short by the end of its sender: due again at once."""
    attempt = AttemptRecord(
        id=uuid7(),
        number=claim.attempt_count + 1,
        trigger=claim.trigger,
        outcome=Outcome.UNKNOWN,
        failure=Failure.INTERRUPTED.value,
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


def record_not_sent(claim: Claim, now: datetime, *, reason: str) -> Settled:
    """For an attempt that we could not even make, by a fault of ours; tried again later."""
    attempt = AttemptRecord(
        id=uuid7(),
        number=claim.attempt_count + 1,
        trigger=claim.trigger,
        outcome=Outcome.FAILED,
        failure=Failure.INTERNAL.value,
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
    if attempt.failure == Failure.GONE:
        reason = "The endpoint answered 410 Gone: it wants no more, so it is not retried."
        return Settled(claim, attempt, DeliveryStatus.FAILED, reason, None, claim.scheduled_count)
    if claim.trigger == Trigger.RESEND:
        return _after_failed_resend(claim, attempt, words)
    if attempt.failure == Failure.INTERNAL:
        return _after_own_fault(claim, attempt, ended_at)
    count = claim.scheduled_count + 1
    due = next_attempt(
        rules=claim.rules, scheduled_count=count, ended_at=ended_at, retry_after=retry_after
    )
    if due is None:
        reason = f"All {count} attempts allowed were made; the last one {words}."
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
