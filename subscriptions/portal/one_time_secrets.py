"""Secrets on their way to the one page that shows them, over the redirect after a form.

They wait in the session, encrypted, since sessions lie in the database; taking one removes it.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest

from subscriptions.encryption import WrongKey, decrypt, encrypt

logger = logging.getLogger(__name__)
_KEY = "shown_once"


def store(request: HttpRequest, name: str, secret: str) -> None:
    kept = request.session.get(_KEY, {})
    request.session[_KEY] = kept | {name: encrypt(secret)}


def pop(request: HttpRequest, name: str) -> str:
    """The secret kept under this name, once; "" where there is none."""
    kept = dict(request.session.get(_KEY, {}))
    ciphertext = kept.pop(name, "")
    if not ciphertext:
        return ""
    request.session[_KEY] = kept
    try:
        return decrypt(ciphertext)
    except WrongKey as error:
        # Its page has words for a secret that is gone; the key ring was changed in between.
        logger.error("a secret that waited to be shown is lost: %s", error)
        return ""
