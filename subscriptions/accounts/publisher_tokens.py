"""Publisher tokens: made, checked, revoked.

`whp_` + 40 random characters + 6 of checksum: the prefix lets secret scanners find a leaked one,
the checksum lets them, and us, tell a typing error without a look at the database.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import time
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.errors import Conflict, Refused
from subscriptions.identifiers import encode, new_public_id
from subscriptions.models import Broadcaster, PublisherToken, Scope
from subscriptions.prepared_statements import instances

PREFIX = "whp_"
MAX_LIVE_TOKENS = 50
_LETTERS = string.ascii_letters + string.digits
# last_used_at is written at most this often: a publish must not cost an update.
_LAST_USED_STEP = timedelta(minutes=1)


class NewToken(NamedTuple):
    token: PublisherToken
    plaintext: str


def _checksum(secret: str) -> str:
    return encode(zlib.crc32(secret.encode()), 7)[-6:]


def _digest(plaintext: str) -> str:
    return hashlib.sha256(plaintext.encode()).hexdigest()


def has_token_form(plaintext: str) -> bool:
    """Whether it can be a publisher token at all: prefix, length, checksum."""
    body = plaintext.removeprefix(PREFIX)
    return (
        plaintext.startswith(PREFIX)
        and len(body) == 46
        and body.isascii()
        and secrets.compare_digest(_checksum(body[:40]), body[40:])
    )


def create_token(
    *,
    broadcaster: Broadcaster,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    expires_at: datetime | None = None,
) -> NewToken:
    """Make a token; its plain text is in the answer and nowhere else.

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
    secret = "".join(secrets.choice(_LETTERS) for _ in range(40))
    plaintext = PREFIX + secret + _checksum(secret)
    with transaction.atomic():
        # Locked, so that two requests at once cannot pass the limit together.
        Broadcaster.objects.select_for_update(of=("self",)).get(pk=broadcaster.pk)
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


# What a request asks of its token.
_FIELDS = (
    "id", "public_id", "broadcaster_id", "name", "hint", "scopes", "expires_at", "revoked_at",
    "last_used_at",
)  # fmt: skip
BROADCASTER_CACHE_SECONDS = 1.0
_broadcasters: dict[int, tuple[float, Broadcaster]] = {}


def _broadcaster(pk: int) -> Broadcaster:
    """With its platform, as it was at most a second ago."""
    until, known = _broadcasters.get(pk, (0.0, None))
    if known is None or time.monotonic() >= until:
        known = Broadcaster.objects.select_related("platform").get(pk=pk)
        if len(_broadcasters) > 10_000:
            _broadcasters.clear()
        _broadcasters[pk] = (time.monotonic() + BROADCASTER_CACHE_SECONDS, known)
    return known


def authenticate(plaintext: str, *, address: str | None) -> PublisherToken | None:
    """The live token that this is, with its broadcaster and platform; None for any other text."""
    if not has_token_form(plaintext):
        return None
    found = instances(PublisherToken, _FIELDS, "WHERE t.digest = %s", [_digest(plaintext)])
    if not found or not found[0].is_live:
        return None
    token = found[0]
    token.broadcaster = _broadcaster(token.broadcaster_id)
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _LAST_USED_STEP:
        PublisherToken.objects.filter(pk=token.pk).update(
            last_used_at=now, last_used_address=address
        )
    return token


def revoke_token(token: PublisherToken, *, actor: Actor) -> None:
    """From now on the token opens nothing."""
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
