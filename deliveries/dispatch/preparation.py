"""Prepares claimed deliveries: loads their endpoints and bodies, and signs their requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from deliveries.dispatch.outcomes import record_not_sent
from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.records import CLAIM_COLUMNS, Claim, Settled
from deliveries.dispatch.variants import Signing, vary_signing
from deliveries.models import Trigger, Variant
from deliveries.signing.signature import SigningError, signature_headers
from deliveries.transport import USER_AGENT, OutboundRequest
from subscriptions.encryption import WrongKey
from subscriptions.endpoints.header_rules import is_reserved, mask_headers
from subscriptions.endpoints.signing_token_format import TokenPair, generate_token
from subscriptions.endpoints.signing_tokens import decrypt_tokens
from subscriptions.models import Endpoint
from subscriptions.platforms.rules import PlatformRules

logger = logging.getLogger(__name__)
# A person may send to an endpoint that is switched off or suspended.
_BY_HAND = {Trigger.TEST, Trigger.RESEND}

ENDPOINT_CACHE_SECONDS = 1.0
_ID, _EVENT, _ENDPOINT, _TRIGGER = map(
    CLAIM_COLUMNS.index, ("id", "event_id", "endpoint_id", "trigger")
)

Headers = tuple[tuple[str, str], ...]


class Outgoing(NamedTuple):
    """A signed request. `logged_headers`: its headers as the log may show them."""

    claim: Claim
    request: OutboundRequest
    logged_headers: Headers


@dataclass(slots=True)
class Prepared:
    """Claimed deliveries by what happens next: sent, settled without being sent, or cancelled."""

    outgoing: list[Outgoing]
    settled: list[Settled]
    stopped: list[Claim]


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint with what all of its requests share. `fault`: why they cannot be signed."""

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
        """From an endpoint with its broadcaster and platform loaded."""
        rules = endpoint.broadcaster.rules
        tokens, fault = None, ""
        try:
            tokens = decrypt_tokens(endpoint, now) if endpoint.is_signed else None
        except WrongKey as error:
            fault = str(error)
        custom = tuple(
            (name, value)
            for name, value in endpoint.headers
            # A header can have been stored before its platform's signature got that name.
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
    """Endpoints as they were at most a second ago; whether one may be sent to is asked each time.

    Before a delivery by hand its endpoint is forgotten: it follows a change, and tries it out.
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
    """Load what the claimed rows need, and sign. `unsendable`: endpoints that may not be sent to now.

    If no key decrypts an endpoint's token, the delivery ends in `settled` as a failed attempt:
    nothing is sent unsigned, or signed with garbage.
    """
    by_hand = {row[_ENDPOINT] for row in rows if row[_TRIGGER] in _BY_HAND}
    endpoints.forget(by_hand)
    targets = endpoints.get({row[_ENDPOINT] for row in rows}, now)
    bodies = current_store().bodies({row[_EVENT] for row in rows})
    variants = _variants(row[_ID] for row in rows if row[_TRIGGER] == Trigger.TEST)
    prepared = Prepared([], [], [])
    for row in rows:
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
            prepared.settled.append(record_not_sent(claim, now, reason="wrong_key"))
    return prepared


def _variants(ids: Iterable[UUID]) -> dict[UUID, Variant]:
    """The variants of test deliveries; no query if there are none."""
    wanted = list(ids)
    return Variant.objects.in_bulk(wanted) if wanted else {}


def _signing(target: Target, event_id: str, now: datetime, variant: Variant | None) -> Signing:
    if target.fault:
        raise WrongKey(target.fault)
    usual = Signing(target.tokens, event_id, now)
    if variant is None:
        return usual
    return vary_signing(
        usual,
        variant.kind,
        sent_as=variant.sent_as,
        make_token=lambda: generate_token(target.endpoint.token_format),
    )


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
