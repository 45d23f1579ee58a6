"""Tenants and who may act for them: broadcasters, their members, and their publisher tokens.

Each verb is one transaction that checks the rules, makes the change and records it in the audit
log; what a rule forbids raises a PortalError. Sign-in itself is allauth's: `adapters`, `passkeys`
and `sign_ins` are where the portal hooks into it. This room knows no pages and no endpoints.
"""

from subscriptions.accounts.broadcasters import (
    CreatedBroadcaster,
    create_broadcaster,
    update_broadcaster,
)
from subscriptions.accounts.publisher_tokens import (
    NewToken,
    authenticate,
    create_token,
    revoke_token,
)

__all__ = [
    "CreatedBroadcaster",
    "NewToken",
    "authenticate",
    "create_broadcaster",
    "create_token",
    "revoke_token",
    "update_broadcaster",
]
