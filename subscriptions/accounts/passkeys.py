"""Second factors: kept encrypted; passkeys: whose they are for, and the form that adds one."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from subscriptions.encryption import WrongKey, decrypt, encrypt, is_ciphertext
from subscriptions.models import User

logger = logging.getLogger(__name__)

PRODUCT = "Webhooks"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    def encrypt(self, text: str) -> str:
        """Of the secrets that one-time and recovery codes are made from, as they are stored."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return decrypt(encrypted_text) if is_ciphertext(encrypted_text) else encrypted_text
        except WrongKey as error:
            logger.critical("a second factor cannot be read: %s", error)
            raise ValidationError(
                "This second factor cannot be checked: your operator has to restore a secret key."
            ) from error

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The public host, whatever other host the request named: a passkey fits no second one."""
        return {"id": urlsplit(settings.WEBHOOKS_PUBLIC_URL).hostname or "", "name": PRODUCT}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        return f"Passkey {passkeys_of(user).count() + 1}"


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].max_length = self.fields["name"].widget.attrs["maxlength"] = 100
        passwordless = self.fields["passwordless"]
        passwordless.initial = True
        passwordless.label = "Sign in with it alone, without the password"
        passwordless.help_text = (
            "Unlocked by your fingerprint, face or PIN. For a security key that has none, clear "
            "this: it is then asked for after your password."
        )


def passkeys_of(user: User) -> QuerySet[Authenticator]:
    """Those that the user can sign in with, and security keys, the first added first."""
    return Authenticator.objects.filter(  # type: ignore[no-any-return]
        user=user, type=Authenticator.Type.WEBAUTHN
    ).order_by("created_at")
