"""Authentication by a publisher token, in one of two headers, never in the URL."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from subscriptions.accounts import authenticate
from subscriptions.client_address import client_address
from subscriptions.models import PublisherToken


class PublisherTokenAuthentication(BaseAuthentication):
    """Sets `request.auth` to the token, with its broadcaster and platform loaded."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, PublisherToken] | None:
        plaintext = _read_token(request)
        if plaintext is None:
            return None
        token = authenticate(plaintext, address=client_address(request))
        if token is None:
            raise AuthenticationFailed(
                "The token is unknown, expired or revoked: check for a typing error, or make a "
                "new one.",
                code="invalid_token",
            )
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        given = _read_token(request) is not None
        return 'Bearer realm="api"' + (', error="invalid_token"' if given else "")


def _read_token(request: Request) -> str | None:
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(credentials).strip()
    header = request.META.get("HTTP_X_PUBLISHER_TOKEN")
    return header.strip() if header is not None else None
