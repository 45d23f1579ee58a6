"""The fault pack: requests that a receiver meets one day, sent on purpose, and whether it coped.

A run is one usual request and, a moment later, the chosen faulty ones. They are tests: marked,
never retried, counted nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from deliveries.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Outcome,
    Trigger,
    Variant,
    VariantKind,
)
from deliveries.publishing.publisher import MAX_BODY_BYTES
from deliveries.test_console.grading import Answer, Verdict, judge
from deliveries.test_console.test_requests import make_test, store_tests
from subscriptions.audit import Actor
from subscriptions.errors import Refused
from subscriptions.identifiers import new_public_id
from subscriptions.models import Broadcaster, Endpoint

# The usual request goes first, so that the others come after it.
_AFTER = timedelta(seconds=1)
_EARLIER_BY = timedelta(hours=1)
_PADDING = "padding"


@dataclass(frozen=True, slots=True)
class Fault:
    """about: what is sent, and what a good receiver makes of it."""

    kind: str
    title: str
    about: str


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


def not_shown(kind: str, endpoint: Endpoint) -> str:
    """Why this fault cannot be shown to this webhook; "" where it can."""
    rules = endpoint.broadcaster.rules
    if kind in (VariantKind.BAD_SIGNATURE, VariantKind.OLD_TIMESTAMP) and not endpoint.is_signed:
        return "Requests to this webhook are not signed: there is nothing to check."
    if kind == VariantKind.OLD_TIMESTAMP and not has_signed_time(endpoint):
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


def has_signed_time(endpoint: Endpoint) -> bool:
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

    Raises Refused for no kind or one that cannot be shown, and as send_test does.
    """
    chosen = [fault.kind for fault in FAULTS if fault.kind in set(kinds)]
    if not chosen:
        raise Refused("Choose at least one fault to send.", code="required", pointer="/faults")
    for kind in chosen:
        if reason := not_shown(kind, endpoint):
            raise Refused(reason, code="fault_not_shown", pointer="/faults")
    usual = make_test(endpoint=endpoint, topic=topic, data=data)
    run = new_public_id("run")
    variants = [Variant(delivery=usual, kind=VariantKind.USUAL, run=run)]
    variants += [_variant(kind, usual, run, data) for kind in chosen]
    with transaction.atomic():
        deliveries = [variant.delivery for variant in variants]
        store_tests(deliveries, actor=actor, variant=", ".join(chosen))
        Variant.objects.bulk_create(variants)
    return run


def _variant(kind: str, usual: Delivery, run: str, data: Mapping[str, Any] | None) -> Variant:
    endpoint, event = usual.endpoint, usual.event
    occurred_at = event.occurred_at
    if kind == VariantKind.OUT_OF_ORDER:
        occurred_at -= _EARLIER_BY
    if kind == VariantKind.LARGE_BODY:
        data = _padded(event.data, room=MAX_BODY_BYTES - len(event.body.encode()))
    delivery = make_test(endpoint=endpoint, topic=usual.topic, data=data, occurred_at=occurred_at)
    if kind == VariantKind.DUPLICATE:
        # Byte for byte: the id, and the time where the body has one, are in it.
        delivery.event.body = event.body
    delivery.next_attempt_at = _after(usual.next_attempt_at)
    sent_as = event.event_id if kind == VariantKind.DUPLICATE else ""
    return Variant(delivery=delivery, kind=kind, run=run, sent_as=sent_as)


def _after(moment: datetime | None) -> datetime | None:
    return moment and moment + _AFTER


def _padded(data: Mapping[str, Any], room: int) -> dict[str, Any]:
    """The data with one field more, that fills the body up to what an event may have."""
    around = len(f',"{_PADDING}":""')
    return {**data, _PADDING: "x" * max(0, room - around)}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of a run; `verdict` is None while it or the usual one is on its way."""

    fault: Fault | None  # None: the usual one
    delivery: Delivery
    attempt: Attempt | None
    verdict: Verdict | None

    @property
    def is_pending(self) -> bool:
        return self.delivery.status == DeliveryStatus.PENDING

    @property
    def title(self) -> str:
        return self.fault.title if self.fault else "Usual request"

    @property
    def title_in_sentence(self) -> str:
        return self.fault.title.lower() if self.fault else "the usual request"


def describe_run(sent: Sequence[Sent]) -> str:
    """`2 of 6 on the way`; once all are answered, `4 of 5 handled rightly`."""
    pending = sum(one.is_pending for one in sent)
    if pending:
        return f"{pending} of {len(sent)} on the way"
    right = sum(one.verdict is not None and one.verdict.state == "right" for one in sent)
    return f"{right} of {len(sent) - 1} handled rightly"


def read_run(broadcaster: Broadcaster, run: str) -> list[Sent]:
    """The usual request first; empty where the broadcaster has no such run."""
    # Whose they are is looked at here: SQLite would come to them by way of all the broadcaster's
    # deliveries.
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
    keys = [variant.delivery_id for variant in variants.values()]
    made = Attempt.objects.filter(delivery__in=keys, trigger=Trigger.TEST)
    attempts = {attempt.delivery_id: attempt for attempt in made}
    usual = variants[VariantKind.USUAL].delivery
    usual_answer = _answer(usual, attempts.get(usual.pk))
    sent = [Sent(None, usual, attempts.get(usual.pk), None)]
    for fault in FAULTS:
        if (variant := variants.get(fault.kind)) is None:
            continue
        attempt = attempts.get(variant.delivery_id)
        answer = _answer(variant.delivery, attempt)
        verdict = None
        if usual_answer and answer:
            header = _own_header(usual.endpoint)
            verdict = judge(fault.kind, usual_answer, answer, own_header=header)
        sent.append(Sent(fault, variant.delivery, attempt, verdict))
    return sent


def _answer(delivery: Delivery, attempt: Attempt | None) -> Answer | None:
    if delivery.status == DeliveryStatus.PENDING:
        return None
    return answer_of(attempt)


def answer_of(attempt: Attempt | None) -> Answer:
    """A test that was stopped before it was sent has no attempt."""
    if attempt is None:
        return Answer("internal", None)
    failed = attempt.outcome != Outcome.SUCCEEDED
    return Answer((attempt.failure or "internal") if failed else "", attempt.status_code)


def _own_header(endpoint: Endpoint) -> str:
    """The platform's own signature header, where Standard Webhooks' go beside it."""
    rules = endpoint.broadcaster.rules.signature
    return rules.header if endpoint.signature == "standard" else ""
