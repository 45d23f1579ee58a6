"""Secrets that one page shows once, after the redirect of the form that made them.

They wait in the session, encrypted, because sessions are stored in the database.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest

from subscriptions.encryption import WrongKey, decrypt, encrypt

logger = logging.getLogger(__name__)
_SESSION_KEY = "shown_once"


def store(request: HttpRequest, name: str, secret: str) -> None:
    secrets = request.session.get(_SESSION_KEY, {})
    request.session[_SESSION_KEY] = secrets | {name: encrypt(secret)}


def pop(request: HttpRequest, name: str) -> str:
    """Remove and return the secret stored under this name; "" if there is none."""
    secrets = dict(request.session.get(_SESSION_KEY, {}))
    ciphertext = secrets.pop(name, "")
    if not ciphertext:
        return ""
    request.session[_SESSION_KEY] = secrets
    try:
        return decrypt(ciphertext)
    except WrongKey as error:
        # The key ring was changed meanwhile. The page says what to do about a secret it lacks.
        logger.error("a secret that waited to be shown is lost: %s", error)
        return ""
