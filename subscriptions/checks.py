"""System checks of WEBHOOKS_SECRET_KEYS: valid keys, and those that the stored tokens need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Critical, Tags, register
from django.db import DatabaseError

from subscriptions.encryption import WrongKey, check_ring, decrypt
from subscriptions.models import Endpoint

_HOW_TO_MAKE_A_KEY = (
    'Make one with: python3 -c "import base64, os; '
    'print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
)


@register(Tags.security)
def check_secret_keys(**_: Any) -> list[CheckMessage]:
    """E001: WEBHOOKS_SECRET_KEYS holds at least one key, and only valid ones."""
    try:
        check_ring()
    except WrongKey as error:
        return [Critical(str(error), hint=_HOW_TO_MAKE_A_KEY, id="webhooks.E001")]
    return []


@register(Tags.security, deploy=True)
def check_tokens_open(**_: Any) -> list[CheckMessage]:
    """E002: the keys open the oldest and the newest signing token.

    Passes if there is no database yet.
    """
    try:
        check_ring()
        for endpoint in _oldest_and_newest_tokens():
            decrypt(endpoint.token_ciphertext)
    except DatabaseError:
        return []
    except WrongKey as error:
        hint = (
            "Nothing that needs a signature is sent until the key is back. Restore the value of "
            "WEBHOOKS_SECRET_KEYS that was backed up with the database; `manage.py rotate_keys` "
            "names every token that cannot be read."
        )
        return [Critical(str(error), hint=hint, id="webhooks.E002")]
    return []


def _oldest_and_newest_tokens() -> Iterator[Endpoint]:
    with_token = Endpoint.objects.exclude(token_ciphertext="").only("token_ciphertext")
    yield from with_token.order_by("pk")[:1]
    yield from with_token.order_by("-pk")[:1]
