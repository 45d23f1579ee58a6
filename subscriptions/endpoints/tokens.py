"""Signing tokens of endpoints: first one, rotation with an overlap, early end, reveal."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.encryption import WrongKey, decrypt, encrypt
from subscriptions.endpoints.token_format import TokenPair, check_token, generate_token
from subscriptions.errors import Conflict, Refused
from subscriptions.models import Endpoint

logger = logging.getLogger(__name__)
DEFAULT_OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=7)


class RotatedToken(NamedTuple):
    token: str
    previous_expires_at: datetime | None


def signs(endpoint: Endpoint) -> bool:
    """Whether requests to it carry a signature."""
    own = endpoint.broadcaster.rules.signature.scheme
    return endpoint.signature == "standard" or (endpoint.signature is None and own != "none")


def token_format(endpoint: Endpoint) -> str:
    rules = endpoint.broadcaster.rules.signature
    return "whsec" if rules.scheme == "none" else rules.token_format


def carries_two_signatures(endpoint: Endpoint) -> bool:
    """Whether both tokens sign during an overlap; if not, the previous one does until its end."""
    return endpoint.broadcaster.rules.signature.scheme in ("standard", "none")


def checked_token(endpoint: Endpoint, token: str | None) -> str | None:
    """The token a user gives, if the platform lets users type it. Raises Refused."""
    if not token:
        return None
    rules = endpoint.broadcaster.rules.signature
    if rules.token != "typed":  # noqa: S105  a kind, not a secret
        raise Refused(
            f"{endpoint.broadcaster.platform.title} makes the signing token itself: leave it out.",
            code="token_not_allowed",
            pointer="/token",
        )
    check_token(token, token_format(endpoint))
    return token


def set_first_token(endpoint: Endpoint, token: str | None) -> str:
    """Give an endpoint that signs and has no token yet its first; "" where none was made."""
    if endpoint.token_ciphertext or not signs(endpoint):
        return ""
    plaintext = token or generate_token(token_format(endpoint))
    endpoint.token_ciphertext = encrypt(plaintext)
    endpoint.token_hint = plaintext[-4:]
    endpoint.token_rotated_at = timezone.now()
    return plaintext


def token_pair(endpoint: Endpoint, now: datetime) -> TokenPair | None:
    """The tokens that sign now; None where it has none. Raises WrongKey."""
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

    Raises Conflict where it is not signed, Refused for an overlap out of range or a bad token.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise Refused(
            f"An overlap of {overlap.total_seconds():g} seconds is out of range: 0 to 604800.",
            code="out_of_range",
            pointer="/overlap_seconds",
        )
    endpoint = Endpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    if not signs(endpoint):
        raise Conflict(
            f"{endpoint.name} is not signed: switch a signature on first.", code="not_signed"
        )
    plaintext = checked_token(endpoint, token) or generate_token(token_format(endpoint))
    now = timezone.now()
    keeps = overlap > timedelta(0) and bool(endpoint.token_ciphertext)
    endpoint.previous_token_ciphertext = endpoint.token_ciphertext if keeps else ""
    endpoint.previous_token_hint = endpoint.token_hint if keeps else ""
    endpoint.previous_expires_at = now + overlap if keeps else None
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
    """End the overlap now. Raises Conflict where none runs."""
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
    """The plain text of the current token, for someone whose password was just asked; audited.

    Raises Conflict where there is none, or none that can be read.
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
