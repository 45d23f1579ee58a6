"""Publisher tokens: created, looked up for each call of the API, revoked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict, Refused
from subscriptions.identifiers import new_public_id
from subscriptions.models import Broadcaster, PublisherToken, Scope
from subscriptions.prepared_statements import instances
from subscriptions.publisher_token_format import generate_publisher_token, has_publisher_token_form

MAX_LIVE_TOKENS = 50
# last_used_at is written at most this often: a publish must not cost an update.
_LAST_USED_INTERVAL = timedelta(minutes=1)


class NewToken(NamedTuple):
    """A publisher token, with its plain text."""

    token: PublisherToken
    plaintext: str  # here once


def _digest(plaintext: str) -> str:
    return hashlib.sha256(plaintext.encode()).hexdigest()


def create_token(
    *,
    broadcaster: Broadcaster,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    expires_at: datetime | None = None,
) -> NewToken:
    """Create a token; its plain text is returned, and stored nowhere.

    Raises Refused for an unknown scope, no scope or a past expiry, Conflict at the limit.
    """
    chosen = sorted(set(scopes))
    unknown = [scope for scope in chosen if scope not in Scope.values]
    if unknown or not chosen:
        raise Refused(
            f"Unknown scope {unknown[0]!r}: use {', '.join(Scope.values)}."
            if unknown
            else "A token needs at least one scope.",
            code="invalid_scope",
            pointer="/scopes",
        )
    if expires_at is not None and expires_at <= timezone.now():
        raise Refused(
            f"The expiry {expires_at.isoformat()} is in the past: give a later one, or none.",
            code="expiry_in_past",
            pointer="/expires_at",
        )
    plaintext = generate_publisher_token()
    with transaction.atomic():
        Broadcaster.objects.lock(broadcaster.pk)
        if broadcaster.publisher_tokens.filter(revoked_at=None).count() >= MAX_LIVE_TOKENS:
            raise Conflict(
                f"There are {MAX_LIVE_TOKENS} tokens already: revoke one first.",
                code="token_limit_reached",
            )
        token = PublisherToken.objects.create(
            public_id=new_public_id("tok"),
            broadcaster=broadcaster,
            name=name,
            hint=plaintext[-4:],
            digest=_digest(plaintext),
            scopes=chosen,
            expires_at=expires_at,
        )
        record(
            broadcaster=broadcaster,
            actor=actor,
            action="token.create",
            target=str(token),
            after={"scopes": chosen},
        )
    return NewToken(token, plaintext)


# The columns that a call of the API needs; the others are loaded when they are asked for.
_FIELDS = (
    "id",
    "public_id",
    "broadcaster_id",
    "name",
    "hint",
    "scopes",
    "expires_at",
    "revoked_at",
    "last_used_at",
)
BROADCASTER_CACHE_SECONDS = 1.0
_broadcasters: dict[int, tuple[float, Broadcaster]] = {}


def _cached_broadcaster(pk: int) -> Broadcaster:
    """The broadcaster with its platform, as they were at most a second ago."""
    until, known = _broadcasters.get(pk, (0.0, None))
    if known is None or time.monotonic() >= until:
        known = Broadcaster.objects.select_related("platform").get(pk=pk)
        if len(_broadcasters) > 10_000:
            _broadcasters.clear()
        _broadcasters[pk] = (time.monotonic() + BROADCASTER_CACHE_SECONDS, known)
    return known


def authenticate(plaintext: str, *, address: str | None) -> PublisherToken | None:
    """Find the live token that has this plain text; None if there is none.

    It comes with its broadcaster and platform. When and from which address it was used is noted,
    once a minute at most.
    """
    if not has_publisher_token_form(plaintext):
        return None
    found = instances(PublisherToken, _FIELDS, "WHERE t.digest = %s", [_digest(plaintext)])
    if not found or not found[0].is_live:
        return None
    token = found[0]
    token.broadcaster = _cached_broadcaster(token.broadcaster_id)
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _LAST_USED_INTERVAL:
        PublisherToken.objects.filter(pk=token.pk).update(
            last_used_at=now, last_used_address=address
        )
    return token


def revoke_token(token: PublisherToken, *, actor: Actor) -> None:
    """End a token: every later call with it is refused.

    One that is revoked already is left as it is.
    """
    with transaction.atomic():
        if PublisherToken.objects.filter(pk=token.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        ):
            record(
                broadcaster=token.broadcaster,
                actor=actor,
                action="token.revoke",
                target=str(token),
            )
