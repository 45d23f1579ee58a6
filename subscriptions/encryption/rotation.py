"""Bringing all that is encrypted at rest under the first key of the ring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import QuerySet

from subscriptions.encryption.key_ring import (
    WrongKey,
    encrypt,
    is_ciphertext,
    is_under_first_key,
    rotate,
)
from subscriptions.models import Endpoint

BATCH_ROWS = 200
FACTORS = {"totp": "one-time codes", "recovery_codes": "recovery codes"}
# Sessions hold a secret only from a form to the page after it: none outlives a change of keys.
COLUMNS = (
    ("token_ciphertext", "signing token"),
    ("previous_token_ciphertext", "previous signing token"),
)


@dataclass(slots=True)
class Rotation:
    """How far it got. `unreadable` names, in words, each secret that no key opens."""

    rotated: int = 0
    already: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.rotated + self.already + len(self.unreadable)


def count_secrets() -> int:
    tokens = (Endpoint.objects.exclude(**{column: ""}).count() for column, _ in COLUMNS)
    return sum(tokens) + int(_authenticators().count())


def rotate_in_batches() -> Iterator[Rotation]:
    """Re-encrypt batch by batch; yields the running totals after each.

    It may be broken off and run again at any moment: what is under the first key is left as it
    is. A secret that someone changes meanwhile stays as they made it. Raises WrongKey only where
    the ring itself cannot be used.
    """
    totals = Rotation()
    for column, words in COLUMNS:
        last = 0
        while batch := _batch(column, last):
            last = batch[-1][0]
            _rotate(column, words, batch, totals)
            yield totals
    last = 0
    while keys := list(
        _authenticators().filter(pk__gt=last).values_list("pk", flat=True)[:BATCH_ROWS]
    ):
        last = keys[-1]
        _rotate_authenticators(keys, totals)
        yield totals


def _authenticators() -> QuerySet[Authenticator]:
    """Second factors that have a secret: not passkeys, which are public keys."""
    with_secret = Authenticator.objects.filter(type__in=FACTORS)
    return with_secret.order_by("pk")  # type: ignore[no-any-return]


def _batch(column: str, last: int) -> list[tuple[int, str, str]]:
    rows = Endpoint.objects.filter(pk__gt=last).exclude(**{column: ""}).order_by("pk")
    return list(rows.values_list("pk", "public_id", column)[:BATCH_ROWS])


def _rotate(column: str, words: str, batch: list[tuple[int, str, str]], totals: Rotation) -> None:
    changes: list[tuple[int, str, str]] = []
    for pk, public_id, ciphertext in batch:
        if is_under_first_key(ciphertext):
            totals.already += 1
            continue
        try:
            changes.append((pk, ciphertext, rotate(ciphertext)))
        except WrongKey:
            totals.unreadable.append(f"{words} of webhook {public_id}")
    with transaction.atomic():
        for pk, old, new in changes:
            # Only over what was read: a rotation by the customer since then is newer.
            Endpoint.objects.filter(pk=pk, **{column: old}).update(**{column: new})
    totals.rotated += len(changes)


def _rotate_authenticators(keys: list[int], totals: Rotation) -> None:
    with transaction.atomic():
        for row in _authenticators().select_for_update().filter(pk__in=keys):
            try:
                data = {name: _renewed(value) for name, value in row.data.items()}
            except WrongKey:
                totals.unreadable.append(f"secret of the {FACTORS[row.type]} of user {row.user_id}")
                continue
            if data == row.data:
                totals.already += 1
                continue
            Authenticator.objects.filter(pk=row.pk).update(data=data)
            totals.rotated += 1


def _renewed(value: Any) -> Any:
    """A value of allauth's, its texts encrypted: those from before they were so, too."""
    if isinstance(value, list):
        return [_renewed(item) for item in value]
    if not isinstance(value, str) or (is_ciphertext(value) and is_under_first_key(value)):
        return value
    return rotate(value) if is_ciphertext(value) else encrypt(value)
