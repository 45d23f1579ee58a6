"""The request bin: what it stores of a request, whether that was signed rightly, what it answers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from deliveries.models import BinRequest, RequestBin
from deliveries.models.request_bin import NO_ANSWER
from deliveries.signing.verification import STANDARD_HEADERS, KnownToken, verify
from subscriptions.audit import Actor, record
from subscriptions.encryption import WrongKey
from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.own_hosts import REQUEST_BIN_PATH
from subscriptions.endpoints.signing_tokens import decrypt_tokens
from subscriptions.errors import Refused
from subscriptions.models import Broadcaster, Endpoint

logger = logging.getLogger(__name__)
MAX_STORED_REQUESTS = 100
MAX_BODY_BYTES = 256 * 1024
MAX_HEADERS = 100
MAX_HEADER_CHARACTERS = 8_000
# Longer than any endpoint's timeout, so that a sender without an answer times out.
MAX_DELAY = timedelta(seconds=35)
_STATUS = re.compile(r"status/([2-5][0-9]{2})/?")
_SLOW = re.compile(r"slow/([0-9]{1,2})/?")


@dataclass(frozen=True, slots=True)
class BinAnswer:
    """What the bin answers. status: NO_ANSWER if the sender is to time out."""

    status: int
    delay: timedelta = timedelta(0)

    @property
    def recorded_status(self) -> int | None:
        return None if self.status == NO_ANSWER else self.status


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it came in. `path` is percent-encoded, with its query."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    at: datetime


def open_bin(broadcaster: Broadcaster) -> RequestBin:
    """The broadcaster's bin, made if there is none yet."""
    request_bin, _ = RequestBin.objects.get_or_create(broadcaster=broadcaster)
    request_bin.broadcaster = broadcaster
    return request_bin


def bin_url(request_bin: RequestBin, rest: str = "") -> str:
    return f"{settings.WEBHOOKS_PUBLIC_URL}{REQUEST_BIN_PATH}{request_bin.public_id}/{rest}"


def endpoints_sending_to(request_bin: RequestBin) -> QuerySet[Endpoint]:
    """The broadcaster's webhooks whose URL is this bin's, under any host the portal ever had."""
    return (
        request_bin.broadcaster.endpoints.live()
        .filter(url__contains=f"{REQUEST_BIN_PATH}{request_bin.public_id}/")
        .select_related("broadcaster__platform")
        .order_by("pk")
    )


def choose_answer(request_bin: RequestBin, rest: str) -> BinAnswer:
    """What to answer at this path below the bin's URL: `status/500/` and `slow/10/` choose it."""
    if status := _STATUS.fullmatch(rest):
        return BinAnswer(int(status[1]))
    if slow := _SLOW.fullmatch(rest):
        return BinAnswer(200, min(timedelta(seconds=int(slow[1])), MAX_DELAY))
    if request_bin.answer_status == NO_ANSWER:
        return BinAnswer(NO_ANSWER, MAX_DELAY)
    return BinAnswer(request_bin.answer_status, timedelta(milliseconds=request_bin.answer_delay_ms))


def store_request(
    request_bin: RequestBin, received: ReceivedRequest, answer: BinAnswer
) -> BinRequest:
    """Store the request and whether its signature is good; all but the newest hundred are deleted.

    Committed when it returns, unless the caller has a transaction open.
    """
    rules = request_bin.broadcaster.rules.signature
    verified = verify(
        signature=rules,
        headers=received.headers,
        body=received.body,
        tokens=load_known_tokens(endpoints_sending_to(request_bin), received.at),
        now=received.at,
    )
    with transaction.atomic():
        kept = BinRequest.objects.create(
            bin=request_bin,
            method=received.method[:10],
            path=received.path[:2048],
            headers=mask_received_headers(received.headers, rules.header),
            body=received.body,
            verified=verified.ok,
            verified_by=verified.by[:200],
            reason=verified.reason[:200],
            answered_status=answer.recorded_status,
            received_at=received.at,
        )
        older = request_bin.requests.order_by("-id").values_list("id", flat=True)
        surplus = older[MAX_STORED_REQUESTS : MAX_STORED_REQUESTS + 1].first()
        if surplus is not None:
            request_bin.requests.filter(id__lte=surplus).delete()
    return kept


def load_known_tokens(endpoints: Iterable[Endpoint], now: datetime) -> list[KnownToken]:
    """The tokens that sign requests to these endpoints, previous ones too while they are good."""
    known: list[KnownToken] = []
    for endpoint in endpoints:
        try:
            pair = decrypt_tokens(endpoint, now)
        except WrongKey as error:
            logger.critical("endpoint %s: %s", endpoint.public_id, error)
            continue
        if pair is None:
            continue
        known.append(
            KnownToken(f"the token …{endpoint.token_hint} of {endpoint.name}", pair.current)
        )
        if pair.previous:
            label = f"the previous token …{endpoint.previous_token_hint} of {endpoint.name}"
            known.append(KnownToken(label, pair.previous))
    return known


def mask_received_headers(
    headers: Iterable[tuple[str, str]], signature_header: str
) -> list[list[str]]:
    """The headers that may be stored: signatures as they are, other secrets masked.

    A browser that opens the bin's URL sends its session's cookie, for example.
    """
    unmasked = {*STANDARD_HEADERS, signature_header.lower()}
    masked: list[list[str]] = []
    for name, value in list(headers)[:MAX_HEADERS]:
        cut = (name, value[:MAX_HEADER_CHARACTERS])
        masked += map(list, [cut] if name.lower() in unmasked else mask_headers([cut]))
    return masked


@transaction.atomic
def set_answer(request_bin: RequestBin, answer: BinAnswer, *, actor: Actor) -> None:
    """Choose what the bin answers from now on. Raises Refused for a status or delay out of range."""
    if answer.status != NO_ANSWER and not 200 <= answer.status <= 599:
        raise Refused(
            f"{answer.status} is no status to answer with: 200 to 599, or 0 for no answer.",
            code="out_of_range",
            pointer="/answer_status",
        )
    if not timedelta(0) <= answer.delay <= MAX_DELAY:
        raise Refused(
            f"A delay of {answer.delay.total_seconds():g} seconds is out of range: 0 to "
            f"{MAX_DELAY.total_seconds():g}.",
            code="out_of_range",
            pointer="/answer_delay",
        )
    request_bin.answer_status = answer.status
    request_bin.answer_delay_ms = answer.delay // timedelta(milliseconds=1)
    request_bin.save(update_fields=["answer_status", "answer_delay_ms"])
    record(
        broadcaster=request_bin.broadcaster,
        actor=actor,
        action="request_bin.set_answer",
        target=request_bin.public_id,
        after={"status": request_bin.answer_status, "delay_ms": request_bin.answer_delay_ms},
    )


@transaction.atomic
def empty_bin(request_bin: RequestBin, *, actor: Actor) -> int:
    """Delete what came in; returns how many requests that were."""
    count = request_bin.requests.all().delete()[0]
    if count:
        record(
            broadcaster=request_bin.broadcaster,
            actor=actor,
            action="request_bin.empty",
            target=request_bin.public_id,
            before={"requests": count},
        )
    return count
