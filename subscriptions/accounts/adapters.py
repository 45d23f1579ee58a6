"""What the portal decides for allauth: who may sign up, what attempts are counted by, secrets."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from subscriptions.accounts.passkeys import passkeys_of
from subscriptions.client_address import client_address
from subscriptions.encryption import WrongKey, decrypt, encrypt, is_ciphertext
from subscriptions.models import User

logger = logging.getLogger(__name__)

PRODUCT = "Webhooks"


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open if the operator says so, and for whoever came with an invitation's link."""
        return settings.WEBHOOKS_SIGNUP == "open" or "invitation" in request.session

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that attempts are counted by; clients without one share a count."""
        return client_address(request) or "unknown"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """The key that wrong passwords are counted by: the account alone.

        allauth puts the Host header before it, so that each port in it would be a fresh start.
        """
        return str(credentials.get("email", "")).lower()


class MFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        """Encrypt a secret that one-time or recovery codes are made from, for storing it."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a stored secret; one that was stored before secrets were encrypted is returned.

        Raises ValidationError, for the person who is signing in, if no key opens it.
        """
        try:
            return decrypt(encrypted_text) if is_ciphertext(encrypted_text) else encrypted_text
        except WrongKey as error:
            logger.critical("a second factor cannot be read: %s", error)
            raise ValidationError(
                "This second factor cannot be checked: your operator has to restore a secret key."
            ) from error

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The host that passkeys are bound to: the public one, whatever host the request named."""
        return {"id": urlsplit(settings.WEBHOOKS_PUBLIC_URL).hostname or "", "name": PRODUCT}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        return f"Passkey {passkeys_of(user).count() + 1}"
