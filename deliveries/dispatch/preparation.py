"""From claimed rows to signed requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from deliveries.dispatch.outcomes import Claim, Settled, not_sent
from deliveries.dispatch.store.claims import CLAIM_COLUMNS
from deliveries.models import Event, Trigger, Variant
from deliveries.signing.signature import SigningError, signature_headers
from deliveries.signing.variants import Signing, varied
from deliveries.transport.client import OutboundRequest
from subscriptions.encryption import WrongKey
from subscriptions.endpoints.header_rules import is_reserved, mask_headers
from subscriptions.endpoints.signing_token_format import TokenPair, generate_token
from subscriptions.endpoints.signing_tokens import decrypt_tokens
from subscriptions.models import Endpoint
from subscriptions.platforms.rules import PlatformRules
from subscriptions.prepared_statements import server_side
from webhooks_portal import __version__

logger = logging.getLogger(__name__)
USER_AGENT = f"Webhooks-Portal/{__version__}"
# By hand, an endpoint that is switched off or suspended can still be sent to.
_BY_HAND = {Trigger.TEST, Trigger.RESEND}

ENDPOINT_CACHE_SECONDS = 1.0
_ID, _EVENT, _ENDPOINT, _TEST, _TRIGGER, _PLANNED_AT = map(
    CLAIM_COLUMNS.index, ("id", "event_id", "endpoint_id", "test", "trigger", "planned_at")
)
_BODIES_POSTGRESQL = (
    "SELECT id::text, event_id, body FROM deliveries_event WHERE id = ANY(%s::uuid[])"
)

Headers = tuple[tuple[str, str], ...]


class Outgoing(NamedTuple):
    """A request ready to send. `logged_headers` are what the log may show of its headers."""

    claim: Claim
    request: OutboundRequest
    logged_headers: Headers


@dataclass(slots=True)
class Prepared:
    """What came of claimed rows: to be sent, at an end without being sent, not to be sent."""

    outgoing: list[Outgoing]
    settled: list[Settled]
    stopped: list[Claim]


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint with what all of its requests have in common. `fault`: why it cannot be signed."""

    endpoint: Endpoint
    rules: PlatformRules
    tokens: TokenPair | None
    fault: str
    own_headers: Headers
    custom_headers: Headers
    logged_headers: Headers  # of the custom ones, secrets masked
    timeout_seconds: float

    @classmethod
    def of(cls, endpoint: Endpoint, now: datetime) -> Target:
        """From a row with its broadcaster and platform loaded."""
        rules = endpoint.broadcaster.rules
        tokens, fault = None, ""
        try:
            tokens = decrypt_tokens(endpoint, now) if endpoint.is_signed else None
        except WrongKey as error:
            fault = str(error)
        custom = tuple(
            (name, value)
            for name, value in endpoint.headers
            # A reserved one can have been stored before its platform's signature got that name.
            if not is_reserved(name, rules.signature.header)
        )
        own = [("Content-Type", rules.content_type)]
        if not any(name.lower() == "user-agent" for name, _ in custom):
            own.append(("User-Agent", USER_AGENT))
        return cls(
            endpoint=endpoint,
            rules=rules,
            tokens=tokens,
            fault=fault,
            own_headers=tuple(own),
            custom_headers=custom,
            logged_headers=tuple(mask_headers(custom)),
            timeout_seconds=float(endpoint.timeout_seconds or rules.timeout_seconds),
        )


class EndpointCache:
    """Endpoints as they were at most a second ago; whether one may be sent to is asked anew.

    What is sent by hand forgets them first: it comes right after a change, and tries that.
    """

    def __init__(self) -> None:
        self._targets: dict[int, Target] = {}
        self._stale_at = 0.0

    def get(self, ids: set[int], now: datetime) -> dict[int, Target]:
        if time.monotonic() >= self._stale_at:
            self._targets.clear()
            self._stale_at = time.monotonic() + ENDPOINT_CACHE_SECONDS
        missing = ids - self._targets.keys()
        if missing:
            found = Endpoint.objects.select_related("broadcaster__platform").in_bulk(list(missing))
            self._targets |= {pk: Target.of(endpoint, now) for pk, endpoint in found.items()}
        return self._targets

    def forget(self, ids: set[int]) -> None:
        for endpoint_id in ids:
            self._targets.pop(endpoint_id, None)


def prepare(
    rows: Sequence[Sequence[Any]],
    *,
    now: datetime,
    endpoints: EndpointCache,
    unsendable: frozenset[int] = frozenset(),
) -> Prepared:
    """Load what the rows of a claim need, and sign. `unsendable`: endpoints that may not be sent to now.

    `stopped` have an endpoint that may not be sent to. A token that no key opens ends in `settled`
    as a failed attempt: nothing leaves unsigned, or signed with garbage.
    """
    claimed = list(map(_typed, rows)) if connection.vendor == "sqlite" else rows
    by_hand = {row[_ENDPOINT] for row in claimed if row[_TRIGGER] in _BY_HAND}
    endpoints.forget(by_hand)
    targets = endpoints.get({row[_ENDPOINT] for row in claimed}, now)
    bodies = _bodies({row[_EVENT] for row in claimed})
    variants = _variants(row[_ID] for row in claimed if row[_TRIGGER] == Trigger.TEST)
    prepared = Prepared([], [], [])
    for row in claimed:
        target = targets[row[_ENDPOINT]]
        claim = Claim(*(*row[:-1], target.rules, target.endpoint.url))
        is_stopped = claim.endpoint_id in unsendable and claim.trigger not in _BY_HAND
        if is_stopped or target.endpoint.deleted_at:
            prepared.stopped.append(claim)
            continue
        event_id, body = bodies[claim.event_key]
        try:
            # Most batches have none; a UUID's hash is a function of Python's.
            variant = variants.get(claim.delivery_id) if variants else None
            signing = _signing(target, event_id, now, variant)
            prepared.outgoing.append(_outgoing(claim, target, signing, body))
        except (WrongKey, SigningError) as error:
            logger.critical("endpoint %s: %s", target.endpoint.public_id, error)
            prepared.settled.append(not_sent(claim, now, reason="wrong_key"))
    return prepared


def _bodies(keys: set[str]) -> dict[str, tuple[str, bytes]]:
    """By the event's key, as its claim has it: its id, and the body's bytes."""
    if connection.vendor == "postgresql":
        found = server_side(_BODIES_POSTGRESQL, [f"{{{','.join(keys)}}}"])
    else:
        rows = Event.objects.filter(pk__in=keys).values_list("pk", "event_id", "body")
        found = [(pk.hex, event_id, body) for pk, event_id, body in rows]
    return {key: (event_id, body.encode()) for key, event_id, body in found}


def _variants(ids: Iterable[UUID]) -> dict[UUID, Variant]:
    """Of test deliveries; no query where there are none."""
    wanted = list(ids)
    return Variant.objects.in_bulk(wanted) if wanted else {}


def _signing(target: Target, event_id: str, now: datetime, variant: Variant | None) -> Signing:
    if target.fault:
        raise WrongKey(target.fault)
    usual = Signing(target.tokens, event_id, now)
    if variant is None:
        return usual
    return varied(
        usual,
        variant.kind,
        sent_as=variant.sent_as,
        make_token=lambda: generate_token(target.endpoint.token_format),
    )


def _typed(row: Sequence[Any]) -> list[Any]:
    """SQLite hands out texts for ids and times, and numbers for truth."""
    values = list(row)
    values[_ID] = UUID(values[_ID])
    values[_TEST] = bool(values[_TEST])
    planned_at = values[_PLANNED_AT]
    if isinstance(planned_at, str):
        planned_at = parse_datetime(planned_at)
    if planned_at is not None and timezone.is_naive(planned_at):
        planned_at = planned_at.replace(tzinfo=UTC)
    values[_PLANNED_AT] = planned_at
    return values


def _outgoing(claim: Claim, target: Target, signing: Signing, body: bytes) -> Outgoing:
    signed = signature_headers(
        signature=target.rules.signature,
        choice=target.endpoint.signature,
        tokens=signing.tokens,
        event_id=signing.event_id,
        body=body,
        sent_at=signing.sent_at,
    )
    own = (*target.own_headers, *signed)
    request = OutboundRequest(
        key=claim.delivery_id,
        url=claim.url,
        headers=own + target.custom_headers,
        body=body,
        timeout_seconds=target.timeout_seconds,
    )
    return Outgoing(claim, request, own + target.logged_headers)
