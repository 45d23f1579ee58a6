"""Signal receivers that record in the audit log what happens to accounts.

No password, code or key reaches an entry. Of what was typed only the address is used, and only to
find its account: people type passwords into the wrong field.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.dispatch import receiver
from django.http import HttpRequest

from subscriptions.audit import Actor, record_for_user
from subscriptions.client_address import client_address
from subscriptions.models import User


def _address(request: HttpRequest | None) -> str | None:
    return client_address(request) if request is not None else None


def _record(
    user: User, request: HttpRequest | None, action: str, after: dict[str, Any] | None = None
) -> None:
    actor = Actor.of_user(user, _address(request))
    record_for_user(user=user, actor=actor, action=action, after=after)


@receiver(auth.user_logged_in)
def _record_sign_in(request: HttpRequest | None, user: User, **_: Any) -> None:
    _record(user, request, "account.sign_in")


@receiver(auth.user_logged_out)
def _record_sign_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        _record(user, request, "account.sign_out")


@receiver(auth.user_login_failed)
def _record_failed_sign_in(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    typed = credentials.get("email") or credentials.get("username") or ""
    user = User.objects.filter(email__iexact=str(typed)[:254].replace("\0", "")).first()
    is_record_sign_in = (
        request is not None and getattr(request, "user", None) == user and user is not None
    )
    # Unless that user is signed in already, nobody knows who it was.
    label = user.email if user and is_record_sign_in else "someone"
    actor = Actor(label=label, user=user if is_record_sign_in else None, address=_address(request))
    action = "account.fail_password_check" if is_record_sign_in else "account.fail_sign_in"
    record_for_user(user=user, actor=actor, action=action)


@receiver(mfa.authentication_failed)
def _record_failed_second_factor(
    request: HttpRequest | None, user: User, authenticator: Any, **_: Any
) -> None:
    actor = Actor(label="someone with the password", address=_address(request))
    kind = {"kind": str(authenticator.type)}
    record_for_user(user=user, actor=actor, action="account.fail_second_factor", after=kind)


@receiver(account.password_changed)
@receiver(account.password_set)
def _record_changed_password(request: HttpRequest, user: User, **_: Any) -> None:
    _record(user, request, "account.change_password")


@receiver(account.password_reset)
def _record_reset_password(request: HttpRequest, user: User, **_: Any) -> None:
    _record(user, request, "account.reset_password")


@receiver(account.email_changed)
def _record_changed_email(
    request: HttpRequest, user: User, from_email_address: Any, to_email_address: Any, **_: Any
) -> None:
    actor = Actor.of_user(user, _address(request))
    record_for_user(
        user=user,
        actor=actor,
        action="account.change_email",
        before={"email": from_email_address.email} if from_email_address else None,
        after={"email": to_email_address.email},
    )


@receiver(mfa.authenticator_added)
def _record_added_factor(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _record(user, request, "account.add_second_factor", {"kind": str(authenticator.type)})


@receiver(mfa.authenticator_removed)
def _record_removed_factor(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _record(user, request, "account.remove_second_factor", {"kind": str(authenticator.type)})


@receiver(mfa.authenticator_reset)
def _record_renewed_codes(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _record(user, request, "account.renew_recovery_codes")
