"""A broadcaster with its members, each with a client of their own, for tests of pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from subscriptions.accounts import create_broadcaster
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import create_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.models import Broadcaster, Endpoint, Member, User
from subscriptions.models.broadcaster import Role

PASSWORD = "correct horse battery"
HTMX = {"HX-Request": "true"}


@dataclass
class Portal:
    """A broadcaster with an owner, a developer and a viewer; `stranger` owns another one on the
    same platform."""

    live: Broadcaster
    sandbox: Broadcaster
    foreign: Broadcaster
    users: dict[str, User]

    def client(self, who: str) -> Client:
        client = Client()
        if who != "nobody":
            client.force_login(
                self.users[who], "allauth.account.auth_backends.AuthenticationBackend"
            )
        return client

    def url(self, view: str, *arguments: object, broadcaster: Broadcaster | None = None) -> str:
        return reverse(f"subscriptions:{view}", args=[(broadcaster or self.live).pk, *arguments])

    def add_endpoint(self, broadcaster: Broadcaster | None = None, **settings: Any) -> Endpoint:
        owner = broadcaster or self.live
        values = {"name": "Mails", "url": "https://example.com/in", "topics": ["*"]} | settings
        return create_endpoint(
            broadcaster=owner, settings=EndpointSettings(**values), actor=COMMAND_LINE
        ).endpoint


def make_portal(platform: str = "cryptlex") -> Portal:
    users = {
        who: User.objects.create_user(f"{who}@example.com", PASSWORD)
        for who in ("owner", "developer", "viewer", "stranger")
    }
    made = create_broadcaster(name="Acme", platform=platform, owner=users["owner"])
    for who in ("developer", "viewer"):
        Member.objects.create(broadcaster=made.broadcaster, user=users[who], role=Role(who))
    other = create_broadcaster(name="Other", platform=platform, owner=users["stranger"])
    return Portal(made.broadcaster, made.sandbox, other.broadcaster, users)


def one_line(html: str) -> str:
    """The HTML with single spaces: where a template breaks its lines, no test should depend on."""
    return " ".join(html.split())
