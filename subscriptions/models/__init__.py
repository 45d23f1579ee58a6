"""The tables of who gets what, and where: platforms, broadcasters, endpoints, users, audit log."""

from subscriptions.models.audit import AuditEntry
from subscriptions.models.broadcaster import Broadcaster, Invitation, Member
from subscriptions.models.endpoint import Endpoint, Subscription
from subscriptions.models.platform import Platform, Topic, UseCase
from subscriptions.models.publisher_token import PublisherToken, Scope
from subscriptions.models.shared_cache import SharedCacheEntry
from subscriptions.models.user import User

__all__ = [
    "AuditEntry",
    "Broadcaster",
    "Endpoint",
    "Invitation",
    "Member",
    "Platform",
    "PublisherToken",
    "Scope",
    "SharedCacheEntry",
    "Subscription",
    "Topic",
    "UseCase",
    "User",
]
