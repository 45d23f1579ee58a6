"""How people get accounts: open sign-up, or by invitation only."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from subscriptions.client_address import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open where the operator says so, and for whoever came with an invitation's link."""
        return settings.WEBHOOKS_SIGNUP == "open" or "invitation" in request.session

    def get_client_ip(self, request: HttpRequest) -> str:
        """What attempts are counted by. Clients without an address of their own share a count."""
        return client_address(request) or "unknown"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What wrong passwords are counted by: the account alone.

        allauth puts the Host header before it, so that each port in it would be a fresh start.
        """
        return str(credentials.get("email", "")).lower()
