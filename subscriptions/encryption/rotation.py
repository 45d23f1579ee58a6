"""Re-encrypting every secret that is stored under the first key of the ring."""

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
FACTOR_NAMES = {"totp": "one-time codes", "recovery_codes": "recovery codes"}
# Sessions hold secrets too, from a form to the page after it: too briefly to be re-encrypted.
TOKEN_COLUMNS = (
    ("token_ciphertext", "signing token"),
    ("previous_token_ciphertext", "previous signing token"),
)


@dataclass(slots=True)
class Rotation:
    """How far a rotation got. `unreadable` names, in words, each secret that no key opens."""

    rotated: int = 0
    unchanged: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.rotated + self.unchanged + len(self.unreadable)


def count_secrets() -> int:
    tokens = (Endpoint.objects.exclude(**{column: ""}).count() for column, _ in TOKEN_COLUMNS)
    return sum(tokens) + int(_authenticators().count())


def rotate_in_batches() -> Iterator[Rotation]:
    """Re-encrypt batch by batch; yields the running totals after each.

    It may be interrupted and run again at any time: what is under the first key is left as it is.
    A secret that someone changes meanwhile keeps their change. Raises WrongKey only if the ring
    itself cannot be used.
    """
    totals = Rotation()
    for column, words in TOKEN_COLUMNS:
        last = 0
        while batch := _read_batch(column, last):
            last = batch[-1][0]
            _rotate_tokens(column, words, batch, totals)
            yield totals
    last = 0
    while keys := list(
        _authenticators().filter(pk__gt=last).values_list("pk", flat=True)[:BATCH_ROWS]
    ):
        last = keys[-1]
        _rotate_authenticators(keys, totals)
        yield totals


def _authenticators() -> QuerySet[Authenticator]:
    """Second factors with a secret; passkeys have none, they are public keys."""
    with_secret: QuerySet[Authenticator] = Authenticator.objects.filter(type__in=FACTOR_NAMES)
    return with_secret.order_by("pk")


def _read_batch(column: str, last: int) -> list[tuple[int, str, str]]:
    rows = Endpoint.objects.filter(pk__gt=last).exclude(**{column: ""}).order_by("pk")
    return list(rows.values_list("pk", "public_id", column)[:BATCH_ROWS])


def _rotate_tokens(
    column: str, words: str, batch: list[tuple[int, str, str]], totals: Rotation
) -> None:
    changes: list[tuple[int, str, str]] = []
    for pk, public_id, ciphertext in batch:
        if is_under_first_key(ciphertext):
            totals.unchanged += 1
            continue
        try:
            changes.append((pk, ciphertext, rotate(ciphertext)))
        except WrongKey:
            totals.unreadable.append(f"{words} of webhook {public_id}")
    with transaction.atomic():
        for pk, old, new in changes:
            # Only if it is still what was read: the customer may have rotated the token since.
            Endpoint.objects.filter(pk=pk, **{column: old}).update(**{column: new})
    totals.rotated += len(changes)


def _rotate_authenticators(keys: list[int], totals: Rotation) -> None:
    with transaction.atomic():
        for row in _authenticators().select_for_update().filter(pk__in=keys):
            try:
                data = {name: _reencrypt(value) for name, value in row.data.items()}
            except WrongKey:
                totals.unreadable.append(
                    f"secret of the {FACTOR_NAMES[row.type]} of user {row.user_id}"
                )
                continue
            if data == row.data:
                totals.unchanged += 1
                continue
            Authenticator.objects.filter(pk=row.pk).update(data=data)
            totals.rotated += 1


def _reencrypt(value: Any) -> Any:
    """A value of an authenticator's data with each text encrypted under the first key.

    Texts that were stored before they were encrypted are encrypted now.
    """
    if isinstance(value, list):
        return [_reencrypt(item) for item in value]
    if not isinstance(value, str) or (is_ciphertext(value) and is_under_first_key(value)):
        return value
    return rotate(value) if is_ciphertext(value) else encrypt(value)
