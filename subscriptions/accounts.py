"""How people get accounts: open sign-up, or by invitation only."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open where the operator says so, and for whoever came with an invitation's link."""
        return settings.WEBHOOKS_SIGNUP == "open" or "invitation" in request.session
