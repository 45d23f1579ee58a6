"""An endpoint's signing tokens: the first, rotation with an overlap, its early end, reveal."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.encryption import WrongKey, decrypt, encrypt
from subscriptions.endpoints.signing_token_format import TokenPair, check_token, generate_token
from subscriptions.errors import Conflict, Refused
from subscriptions.models import Endpoint

logger = logging.getLogger(__name__)
DEFAULT_OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=7)


class RotatedToken(NamedTuple):
    """The new token, and until when the one before it is good; None if it ended at once."""

    token: str  # plain text, here once
    previous_expires_at: datetime | None


def check_typed_token(endpoint: Endpoint, token: str | None) -> str | None:
    """The token that a user typed; None for an empty one.

    Raises Refused if the platform does not take typed tokens, or not such a one.
    """
    if not token:
        return None
    rules = endpoint.broadcaster.rules.signature
    if not rules.takes_typed_token:
        raise Refused(
            f"{endpoint.broadcaster.platform.title} makes the signing token itself: leave it out.",
            code="token_not_allowed",
            pointer="/token",
        )
    check_token(token, endpoint.token_format)
    return token


def set_first_token(endpoint: Endpoint, token: str | None) -> str:
    """Give an unsaved endpoint its first token; returns its plain text.

    Returns "" and changes nothing if its requests are not signed or it has a token already.
    """
    if endpoint.token_ciphertext or not endpoint.is_signed:
        return ""
    plaintext = token or generate_token(endpoint.token_format)
    endpoint.token_ciphertext = encrypt(plaintext)
    endpoint.token_hint = plaintext[-4:]
    endpoint.token_rotated_at = timezone.now()
    return plaintext


def decrypt_tokens(endpoint: Endpoint, now: datetime) -> TokenPair | None:
    """The tokens that sign now; None if it has none. Raises WrongKey."""
    if not endpoint.token_ciphertext:
        return None
    previous = (
        decrypt(endpoint.previous_token_ciphertext) if endpoint.has_previous_token(now) else None
    )
    return TokenPair(decrypt(endpoint.token_ciphertext), previous)


@transaction.atomic
def rotate_token(
    *,
    endpoint: Endpoint,
    actor: Actor,
    overlap: timedelta = DEFAULT_OVERLAP,
    token: str | None = None,
) -> RotatedToken:
    """Give it a new token; the old one stays good for `overlap` (0 to 7 days; 0 for a leak).

    Raises Conflict if its requests are not signed, Refused for a bad overlap or token.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise Refused(
            f"An overlap of {overlap.total_seconds():g} seconds is out of range: 0 to 604800.",
            code="out_of_range",
            pointer="/overlap_seconds",
        )
    endpoint = Endpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    if not endpoint.is_signed:
        raise Conflict(
            f"{endpoint.name} is not signed: switch a signature on first.", code="not_signed"
        )
    plaintext = check_typed_token(endpoint, token) or generate_token(endpoint.token_format)
    now = timezone.now()
    keeps_old = overlap > timedelta(0) and bool(endpoint.token_ciphertext)
    endpoint.previous_token_ciphertext = endpoint.token_ciphertext if keeps_old else ""
    endpoint.previous_token_hint = endpoint.token_hint if keeps_old else ""
    endpoint.previous_expires_at = now + overlap if keeps_old else None
    endpoint.token_ciphertext = encrypt(plaintext)
    endpoint.token_hint = plaintext[-4:]
    endpoint.token_rotated_at = now
    endpoint.save()
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.rotate_token",
        target=endpoint.public_id,
        after={"token_hint": endpoint.token_hint, "overlap_seconds": int(overlap.total_seconds())},
    )
    return RotatedToken(plaintext, endpoint.previous_expires_at)


@transaction.atomic
def end_previous_token(*, endpoint: Endpoint, actor: Actor) -> None:
    """End the overlap now. Raises Conflict if none runs."""
    now = timezone.now()
    if not Endpoint.objects.filter(pk=endpoint.pk, previous_expires_at__gt=now).update(
        previous_token_ciphertext="",
        previous_token_hint="",
        previous_expires_at=None,
    ):
        raise Conflict(f"{endpoint.name} has no previous token.", code="no_previous_token")
    endpoint.refresh_from_db()
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.end_previous_token",
        target=endpoint.public_id,
    )


def reveal_token(*, endpoint: Endpoint, actor: Actor) -> str:
    """The plain text of the current token, recorded in the audit log.

    The caller has just asked for the user's password. Raises Conflict if there is no token, or none
    that can be read.
    """
    if not endpoint.token_ciphertext:
        raise Conflict(f"{endpoint.name} has no token.", code="not_signed")
    try:
        token = decrypt(endpoint.token_ciphertext)
    except WrongKey as error:
        logger.critical("endpoint %s: %s", endpoint.public_id, error)
        raise Conflict(
            f"The token of {endpoint.name} cannot be read with the secret keys that this portal "
            "has: ask your operator to restore them, or rotate the token.",
            code="token_unreadable",
        ) from error
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.reveal_token",
        target=endpoint.public_id,
    )
    return token
