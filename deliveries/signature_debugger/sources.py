"""Loads what the database knows about a request: tokens, the delivery, recent events."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from django.db.models.functions import Length

from deliveries.models import Delivery, Event
from deliveries.signature_debugger.case import ID, Case, SentEvent, StoredEvent
from deliveries.signature_debugger.pasted_request import Headers
from deliveries.signature_debugger.search import CandidateToken, Kind
from subscriptions.encryption import WrongKey, decrypt
from subscriptions.identifiers import public_to_uuid
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.platforms.rules import PlatformRules

logger = logging.getLogger(__name__)
MAX_ENDPOINTS = 200
RECENT_EVENTS = 100
RECENT_BODY_BYTES = 16 * 1024
_MAX_ATTEMPTS = 20


def make_case(
    *,
    broadcaster: Broadcaster,
    endpoint: Endpoint | None,
    headers: Headers,
    body: bytes,
    now: datetime,
    event_or_delivery_id: str = "",
    received_at: datetime | None = None,
    secret: str = "",
    computed: str = "",
) -> Case:
    """Make the case of a request as somebody of this broadcaster received it.

    Only this broadcaster's rows are looked up, and the tokens of its sandbox or live twin, which
    has the same members. event_or_delivery_id: given by the user, or "".
    """
    ids = (
        [event_or_delivery_id.strip()]
        if event_or_delivery_id.strip()
        else list(_event_ids(broadcaster.rules, headers, body))
    )
    delivery = _find_delivery(broadcaster, endpoint, ids)
    endpoint = endpoint or (delivery.endpoint if delivery else None)
    sent = _find_sent_event(broadcaster, delivery, ids)
    return Case(
        signature=broadcaster.rules.signature,
        choice=endpoint.signature if endpoint else None,
        headers=headers,
        body=body,
        tokens=tuple(known_tokens(broadcaster, endpoint, now)),
        now=now,
        received_at=received_at,
        secret=secret,
        computed=computed,
        sent=sent,
        unknown_id=ids[0] if ids and sent is None else "",
        recent=partial(_recent_events, broadcaster),
    )


def known_tokens(
    broadcaster: Broadcaster, endpoint: Endpoint | None, now: datetime
) -> Iterator[CandidateToken]:
    """Yield all tokens, those of the webhook in question first.

    Without such a webhook, each live webhook of the broadcaster is in question.
    """
    twin = broadcaster.twin
    tenants = [broadcaster.pk, *([twin.pk] if twin else [])]
    found = (
        Endpoint.objects.filter(broadcaster__in=tenants)
        .exclude(token_ciphertext="")
        .order_by("-id")[:MAX_ENDPOINTS]
    )
    known = list(found)
    if endpoint and endpoint not in known and endpoint.token_ciphertext:
        known.append(endpoint)
    known.sort(key=lambda each: (each != endpoint, each.broadcaster_id != broadcaster.pk))
    for each in known:
        yield from _tokens(each, _kind(each, broadcaster, endpoint), now)


def _kind(each: Endpoint, broadcaster: Broadcaster, endpoint: Endpoint | None) -> Kind:
    if each == endpoint:
        return "current"
    if each.broadcaster_id != broadcaster.pk:
        return "twin"
    if each.deleted_at:
        return "deleted"
    return "other" if endpoint else "current"


def _tokens(endpoint: Endpoint, kind: Kind, now: datetime) -> Iterator[CandidateToken]:
    where = f"of {endpoint.name}"
    try:
        token = decrypt(endpoint.token_ciphertext)
        yield CandidateToken(f"the token …{endpoint.token_hint} {where}", token, kind)
        if not endpoint.previous_token_ciphertext:
            return
        previous = decrypt(endpoint.previous_token_ciphertext)
    except WrongKey as error:
        logger.critical("endpoint %s: %s", endpoint.public_id, error)
        return
    is_live = endpoint.has_previous_token(now)
    word = "previous" if is_live else "ended"
    older: Kind = kind if kind != "current" else "previous" if is_live else "ended"
    yield CandidateToken(
        f"the {word} token …{endpoint.previous_token_hint} {where}", previous, older
    )


def _event_ids(rules: PlatformRules, headers: Headers, body: bytes) -> Iterator[str]:
    """Yield the event ids in the request: webhook-id, and the platform's body if it has one."""
    for name, value in headers:
        if name.lower() == ID:
            yield value.strip()[:100]
    fields = [field for field, source in rules.body if source == "event.id"]
    try:
        content = json.loads(body) if fields else None
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict):
        yield from (str(content[field])[:100] for field in fields if content.get(field))


def _find_delivery(
    broadcaster: Broadcaster, endpoint: Endpoint | None, ids: Iterable[str]
) -> Delivery | None:
    """The newest delivery with one of these ids, to the webhook in question if there is one."""
    mine = broadcaster.deliveries.select_related("event", "endpoint")
    if endpoint:
        mine = mine.filter(endpoint=endpoint)
    for each in ids:
        key = public_to_uuid("dlv", each)
        if key is not None:
            found = mine.filter(pk=key).first()
        else:
            events = broadcaster.events.filter(event_id=each)
            found = mine.filter(event__in=events.values("pk")).order_by("-id").first()
        if found:
            return found
    return None


def _find_sent_event(
    broadcaster: Broadcaster, delivery: Delivery | None, ids: Iterable[str]
) -> SentEvent | None:
    if delivery is None:
        mine = broadcaster.events.all()
        event = next(filter(None, (mine.filter(event_id=each).first() for each in ids)), None)
        return SentEvent(event.event_id, event.body.encode()) if event else None
    logged = delivery.attempts.order_by("-number").values_list("request_headers", flat=True)
    attempts = tuple(
        tuple((str(name), str(value)) for name, value in headers)
        for headers in logged[:_MAX_ATTEMPTS]
    )
    return SentEvent(delivery.event.event_id, delivery.event.body.encode(), attempts)


def _recent_events(broadcaster: Broadcaster) -> list[StoredEvent]:
    """The newest short events: one of them may be the one that was signed."""
    newest = broadcaster.events.order_by("-id").values("pk")[:RECENT_EVENTS]
    pks = [row["pk"] for row in newest]
    found = (
        Event.objects.filter(pk__in=pks)
        .annotate(length=Length("body"))
        .filter(length__lte=RECENT_BODY_BYTES)
        .values_list("event_id", "body")
    )
    return [StoredEvent(event_id, body.encode()) for event_id, body in found]
