"""From claimed rows to signed requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from deliveries.claiming import CLAIM_COLUMNS
from deliveries.models import Event, Trigger, Variant
from deliveries.outcomes import Claim, Settled, not_sent
from deliveries.signing import SigningError, signature_headers
from deliveries.transport import OutboundRequest
from deliveries.variants import Signing, varied
from subscriptions.endpoint_tokens import signs, token_format, token_pair
from subscriptions.header_rules import is_reserved, masked
from subscriptions.models import Endpoint
from subscriptions.secrets_at_rest import WrongKey
from subscriptions.signing_tokens import generate_token
from webhooks_portal import __version__

logger = logging.getLogger(__name__)
USER_AGENT = f"Webhooks-Portal/{__version__}"
# By hand, an endpoint that is switched off or suspended can still be sent to.
_BY_HAND = {Trigger.TEST, Trigger.RESEND}

ENDPOINT_CACHE_SECONDS = 1.0

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
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


class EndpointCache:
    """Endpoints as they were at most a second ago; whether one may be sent to is asked anew.

    What is sent by hand forgets them first: it comes right after a change, and tries that.
    """

    def __init__(self) -> None:
        self._endpoints: dict[int, Endpoint] = {}
        self._stale_at = 0.0

    def get(self, ids: set[int]) -> dict[int, Endpoint]:
        """By id, with broadcaster and platform."""
        if time.monotonic() >= self._stale_at:
            self._endpoints.clear()
            self._stale_at = time.monotonic() + ENDPOINT_CACHE_SECONDS
        missing = ids - self._endpoints.keys()
        if missing:
            found = Endpoint.objects.select_related("broadcaster__platform").in_bulk(list(missing))
            self._endpoints.update(found)
        return self._endpoints

    def forget(self, ids: set[int]) -> None:
        for endpoint_id in ids:
            self._endpoints.pop(endpoint_id, None)


def prepare(
    rows: Sequence[Sequence[Any]],
    *,
    now: datetime,
    endpoints: EndpointCache,
    unsendable: frozenset[int] = frozenset(),
) -> Prepared:
    """Load what the rows need, and sign. `unsendable`: endpoints that may not be sent to now.

    `stopped` have an endpoint that may not be sent to. A token that no key opens ends in `settled`
    as a failed attempt: nothing leaves unsigned, or signed with garbage.
    """
    values = [dict(zip(CLAIM_COLUMNS, row, strict=True)) for row in rows]
    endpoints.forget({value["endpoint_id"] for value in values if value["trigger"] in _BY_HAND})
    known = endpoints.get({value["endpoint_id"] for value in values})
    bodies = _bodies({_uuid(value["event_id"]) for value in values})
    variants = _variants(_uuid(v["id"]) for v in values if v["trigger"] == Trigger.TEST)
    prepared = Prepared([], [], [])
    for value in values:
        endpoint = known[value["endpoint_id"]]
        claim = _claim(value, endpoint)
        if endpoint.deleted_at or (endpoint.pk in unsendable and claim.trigger not in _BY_HAND):
            prepared.stopped.append(claim)
            continue
        event_id, body = bodies[claim.event_pk]
        try:
            signing = _signing(endpoint, event_id, now, variants.get(claim.delivery_id))
            prepared.outgoing.append(_outgoing(claim, endpoint, signing, body))
        except (WrongKey, SigningError) as error:
            logger.critical("endpoint %s: %s", endpoint.public_id, error)
            prepared.settled.append(not_sent(claim, now, reason="wrong_key"))
    return prepared


def _bodies(ids: Iterable[UUID]) -> dict[UUID, tuple[str, bytes]]:
    found = Event.objects.filter(pk__in=list(ids)).values_list("pk", "event_id", "body")
    return {pk: (event_id, body.encode()) for pk, event_id, body in found}


def _variants(ids: Iterable[UUID]) -> dict[UUID, Variant]:
    """Of test deliveries; no query where there are none."""
    wanted = list(ids)
    return Variant.objects.in_bulk(wanted) if wanted else {}


def _signing(endpoint: Endpoint, event_id: str, now: datetime, variant: Variant | None) -> Signing:
    usual = Signing(token_pair(endpoint, now) if signs(endpoint) else None, event_id, now)
    if variant is None:
        return usual
    return varied(
        usual,
        variant.kind,
        sent_as=variant.sent_as,
        make_token=lambda: generate_token(token_format(endpoint)),
    )


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _moment(value: Any) -> datetime | None:
    """SQLite hands out texts, in UTC."""
    if isinstance(value, str):
        parsed = parse_datetime(value)
        return parsed and timezone.make_aware(parsed, timezone.get_default_timezone())
    return value  # type: ignore[no-any-return]


def _claim(value: dict[str, Any], endpoint: Endpoint) -> Claim:
    return Claim(
        delivery_id=_uuid(value["id"]),
        event_pk=_uuid(value["event_id"]),
        endpoint_id=value["endpoint_id"],
        broadcaster_id=value["broadcaster_id"],
        topic=value["topic"],
        test=bool(value["test"]),
        trigger=value["trigger"],
        attempt_count=value["attempt_count"],
        scheduled_count=value["scheduled_count"],
        max_attempts=value["max_attempts"],
        planned_at=_moment(value["planned_at"]),
        status_before=value["status_before"],
        failure=value["failure"],
        status_code=value["status_code"],
        rules=endpoint.broadcaster.rules,
        url=endpoint.url,
    )


def _outgoing(claim: Claim, endpoint: Endpoint, signing: Signing, body: bytes) -> Outgoing:
    rules = claim.rules
    signed = signature_headers(
        signature=rules.signature,
        choice=endpoint.signature,
        tokens=signing.tokens,
        event_id=signing.event_id,
        body=body,
        sent_at=signing.sent_at,
    )
    own = [("Content-Type", rules.content_type), ("User-Agent", USER_AGENT), *signed]
    custom = [(name, value) for name, value in endpoint.headers]
    given = {name.lower() for name, _ in custom}
    # The User-Agent alone may be the customer's. A reserved header can have been stored before its
    # platform's signature got that name: it must not stand in for ours.
    own = [
        (name, value) for name, value in own if name != "User-Agent" or "user-agent" not in given
    ]
    custom = [pair for pair in custom if not is_reserved(pair[0], rules.signature.header)]
    request = OutboundRequest(
        key=claim.delivery_id,
        url=endpoint.url,
        headers=(*own, *custom),
        body=body,
        timeout_seconds=float(endpoint.timeout_seconds or rules.timeout_seconds),
    )
    return Outgoing(claim, request, (*own, *masked(custom)))
