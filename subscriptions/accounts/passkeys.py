"""Passkeys: those of a user, and the form that adds one."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.db.models import QuerySet

from subscriptions.models import User


class PasskeyForm(AddWebAuthnForm):
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
    """The user's passkeys and security keys, the first added first."""
    passkeys: QuerySet[Authenticator] = Authenticator.objects.filter(
        user=user, type=Authenticator.Type.WEBAUTHN
    ).order_by("created_at")
    return passkeys
