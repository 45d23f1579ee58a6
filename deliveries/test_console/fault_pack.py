"""The fault pack: requests that a receiver meets one day, sent on purpose, and whether it coped.

A run is one usual request and, a moment later, one of each fault that was chosen. All are tests:
marked as such, never retried, and counted nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from deliveries.diagnosis import Failure
from deliveries.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Outcome,
    Trigger,
    Variant,
    VariantKind,
)
from deliveries.publishing import MAX_BODY_BYTES
from deliveries.test_console.grading import Grade, ResponseSummary, grade_fault
from deliveries.test_console.test_requests import make_test, store_tests
from subscriptions.audit import Actor
from subscriptions.errors import Refused
from subscriptions.identifiers import new_public_id
from subscriptions.models import Broadcaster, Endpoint

# How long after the usual request, which goes first, the others are sent.
_DELAY = timedelta(seconds=1)
# How long before the usual event the one out of order happened.
_EARLIER_BY = timedelta(hours=1)
_PADDING = "padding"


@dataclass(frozen=True, slots=True)
class Fault:
    """description: what is sent, and what a good receiver makes of it."""

    kind: str
    title: str
    description: str


FAULTS = (
    Fault(
        VariantKind.DUPLICATE,
        "Duplicate",
        "The same request twice, as after an answer that got lost. Accept it both times, act on "
        "it once.",
    ),
    Fault(
        VariantKind.OUT_OF_ORDER,
        "Out of order",
        "An event that happened an hour before the one sent first. Accept it, and keep the newer "
        "state.",
    ),
    Fault(
        VariantKind.BAD_SIGNATURE,
        "Bad signature",
        "Signed with a token that is not yours, as a forger would. Refuse it with 400 or 401.",
    ),
    Fault(
        VariantKind.OLD_TIMESTAMP,
        "Old timestamp",
        "Signed rightly, but an hour ago: a recorded request played again. Refuse it with 400.",
    ),
    Fault(
        VariantKind.LARGE_BODY,
        "Large body",
        f"{MAX_BODY_BYTES // 1024} KiB, the largest that is ever sent. Accept it.",
    ),
)


def explain_unsuitable(kind: str, endpoint: Endpoint) -> str:
    """Why this kind of fault shows nothing about the receiver of this webhook; "" if it does."""
    rules = endpoint.broadcaster.rules
    if kind in (VariantKind.BAD_SIGNATURE, VariantKind.OLD_TIMESTAMP) and not endpoint.is_signed:
        return "Requests to this webhook are not signed: there is nothing to check."
    if kind == VariantKind.OLD_TIMESTAMP and not _signs_time(endpoint):
        return (
            f"The signature of {rules.title} covers the body alone, without the time of sending: "
            "an old request cannot be told from a new one by it."
        )
    if kind == VariantKind.OUT_OF_ORDER and not any("occurred_at" in s for _, s in rules.body):
        return (
            f"Requests of {rules.title} do not say when their event happened: the order cannot be "
            "told from them."
        )
    return ""


def _signs_time(endpoint: Endpoint) -> bool:
    return "standard" in (endpoint.signature, endpoint.broadcaster.rules.signature.scheme)


def send_fault_pack(
    *,
    endpoint: Endpoint,
    actor: Actor,
    kinds: Iterable[str],
    topic: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> str:
    """Queue a usual request and one of each kind; returns the id of the run.

    Raises Refused if no kind is given or one is unsuitable, and what send_test raises.
    """
    chosen = [fault.kind for fault in FAULTS if fault.kind in set(kinds)]
    if not chosen:
        raise Refused("Choose at least one fault to send.", code="required", pointer="/faults")
    for kind in chosen:
        if reason := explain_unsuitable(kind, endpoint):
            raise Refused(reason, code="fault_not_shown", pointer="/faults")
    usual = make_test(endpoint=endpoint, topic=topic, data=data)
    run = new_public_id("run")
    variants = [Variant(delivery=usual, kind=VariantKind.USUAL, run=run)]
    variants += [_make_variant(kind, usual, run, data) for kind in chosen]
    with transaction.atomic():
        deliveries = [variant.delivery for variant in variants]
        store_tests(deliveries, actor=actor, variant=", ".join(chosen))
        Variant.objects.bulk_create(variants)
    return run


def _make_variant(kind: str, usual: Delivery, run: str, data: Mapping[str, Any] | None) -> Variant:
    endpoint, event = usual.endpoint, usual.event
    occurred_at = event.occurred_at
    if kind == VariantKind.OUT_OF_ORDER:
        occurred_at -= _EARLIER_BY
    if kind == VariantKind.LARGE_BODY:
        data = _pad(event.data, room=MAX_BODY_BYTES - len(event.body.encode()))
    delivery = make_test(endpoint=endpoint, topic=usual.topic, data=data, occurred_at=occurred_at)
    if kind == VariantKind.DUPLICATE:
        # The same bytes, because the body can have the id and the time in it.
        delivery.event.body = event.body
    if usual.next_attempt_at is not None:
        delivery.next_attempt_at = usual.next_attempt_at + _DELAY
    sent_as = event.event_id if kind == VariantKind.DUPLICATE else ""
    return Variant(delivery=delivery, kind=kind, run=run, sent_as=sent_as)


def _pad(data: Mapping[str, Any], room: int) -> dict[str, Any]:
    """The data with one more field, which fills the body up to the largest size allowed."""
    around = len(f',"{_PADDING}":""')
    return {**data, _PADDING: "x" * max(0, room - around)}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One request of a run.

    fault: None for the usual request. grade: None for the usual request, and as long as this one or
    the usual one is on its way.
    """

    fault: Fault | None
    delivery: Delivery
    attempt: Attempt | None
    grade: Grade | None

    @property
    def is_pending(self) -> bool:
        return self.delivery.status == DeliveryStatus.PENDING

    @property
    def title(self) -> str:
        return self.fault.title if self.fault else "Usual request"

    @property
    def title_in_sentence(self) -> str:
        return self.fault.title.lower() if self.fault else "the usual request"


def describe_run(requests: Sequence[RunRequest]) -> str:
    """`2 of 6 on the way`; once all are answered, `4 of 5 handled rightly`."""
    pending = sum(one.is_pending for one in requests)
    if pending:
        return f"{pending} of {len(requests)} on the way"
    right = sum(one.grade is not None and one.grade.state == "right" for one in requests)
    return f"{right} of {len(requests) - 1} handled rightly"


def load_run(broadcaster: Broadcaster, run: str) -> list[RunRequest]:
    """The requests of a run, the usual one first; none if the broadcaster has no such run."""
    # The broadcaster is compared here: SQLite would come to the rows by way of all its deliveries.
    rows = Variant.objects.filter(run=run).select_related("delivery__endpoint")
    variants = {
        variant.kind: variant
        for variant in rows
        if variant.delivery.broadcaster_id == broadcaster.pk
    }
    if VariantKind.USUAL not in variants:
        return []
    for each in variants.values():
        each.delivery.broadcaster = each.delivery.endpoint.broadcaster = broadcaster
    attempts = _load_attempts(variants.values())
    usual = variants[VariantKind.USUAL].delivery
    usual_response = _summarize_if_ended(usual, attempts)
    requests = [RunRequest(None, usual, attempts.get(usual.pk), None)]
    for fault in FAULTS:
        if (variant := variants.get(fault.kind)) is None:
            continue
        delivery = variant.delivery
        response = _summarize_if_ended(delivery, attempts)
        grade = None
        if usual_response and response:
            header = _own_header(usual.endpoint)
            grade = grade_fault(fault.kind, usual_response, response, own_header=header)
        requests.append(RunRequest(fault, delivery, attempts.get(delivery.pk), grade))
    return requests


def _load_attempts(variants: Iterable[Variant]) -> dict[UUID, Attempt]:
    """The attempts made for the run itself, by their delivery; a later resend is not among them."""
    keys = [variant.delivery_id for variant in variants]
    attempts = Attempt.objects.filter(delivery__in=keys, trigger=Trigger.TEST)
    return {attempt.delivery_id: attempt for attempt in attempts}


def _summarize_if_ended(
    delivery: Delivery, attempts: Mapping[UUID, Attempt]
) -> ResponseSummary | None:
    if delivery.status == DeliveryStatus.PENDING:
        return None
    return summarize_response(attempts.get(delivery.pk))


def summarize_response(attempt: Attempt | None) -> ResponseSummary:
    """What came back for a test. One that was stopped before it was sent has no attempt."""
    if attempt is None:
        return ResponseSummary(Failure.INTERNAL, None)
    failed = attempt.outcome != Outcome.SUCCEEDED
    failure = (attempt.failure or Failure.INTERNAL) if failed else ""
    return ResponseSummary(failure, attempt.status_code)


def _own_header(endpoint: Endpoint) -> str:
    """The platform's own signature header, if those of Standard Webhooks go beside it; else ""."""
    rules = endpoint.broadcaster.rules.signature
    return rules.header if endpoint.signature == "standard" else ""
