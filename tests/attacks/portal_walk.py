"""Every address of the portal, from the URLconf itself, and a tenant with something of everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from deliveries.models import BinRequest, Delivery
from deliveries.publishing import publish
from deliveries.test_console import send_fault_pack
from deliveries.test_console.request_bin import open_bin
from subscriptions.accounts import create_token
from subscriptions.accounts.members import invite
from subscriptions.audit import COMMAND_LINE
from subscriptions.models import Broadcaster, Subscription
from tests.deliveries.views.pages import add_attempt
from tests.portal_clients import Portal

# In every text of the tenant that is attacked, and nowhere else.
MARK = "zanzibar"


class Page(NamedTuple):
    name: str
    address: str  # "/b/{broadcaster_id}/webhooks/{endpoint_id}/"

    @property
    def parameters(self) -> set[str]:
        return set(re.findall(r"{(\w+)}", self.address))

    def path(self, **values: object) -> str:
        return self.address.format(**values)


def pages(patterns: Any = None, prefix: str = "/") -> Iterator[Page]:
    """All but those whose address is a regular expression: they take no id of a tenant's thing."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and "(?P" not in address:
            yield Page(str(pattern.name), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address))


PAGES = sorted(set(pages()))
TENANTS_PAGES = [page for page in PAGES if page.address.startswith("/b/")]


@dataclass
class Victim:
    broadcaster: Broadcaster
    ids: dict[str, object]  # of its things, by the name they have in addresses


def furnished(portal: Portal) -> Victim:
    """The portal's live broadcaster, with one of everything that has an address."""
    live = portal.live
    endpoint = portal.add_endpoint(
        name=f"CRM {MARK}",
        url=f"https://{MARK}.example.com/in",
        description=MARK,
        headers=[("X-Tenant", MARK)],
    )
    run = send_fault_pack(endpoint=endpoint, actor=COMMAND_LINE, kinds=["duplicate"])
    event = publish(broadcaster=live, topic="license.created", data={"of": MARK}).event
    delivery = Delivery.objects.get(event=event, endpoint=endpoint)
    add_attempt(delivery, response_body=MARK.encode(), response_headers=[["X-Mark", MARK]])
    token = create_token(
        broadcaster=live, name=f"CI {MARK}", scopes=["events:read"], actor=COMMAND_LINE
    ).token
    invitation = invite(
        broadcaster=live, email=f"new@{MARK}.example.com", role="viewer", actor=COMMAND_LINE
    ).invitation
    request = BinRequest.objects.create(
        bin=open_bin(live), method="POST", path=f"/{MARK}", body=MARK.encode()
    )
    ids = {
        "broadcaster_id": live.pk,
        "endpoint_id": endpoint.public_id,
        "delivery_id": delivery.public_id,
        "event_id": event.event_id,
        "token_id": token.public_id,
        "member_id": live.members.get(user=portal.users["developer"]).pk,
        "invitation_id": invitation.pk,
        "request_id": request.pk,
        "run": run,
        "name": "license.created",
    }
    return Victim(live, ids)


def state_of(broadcaster: Broadcaster) -> dict[str, list[Any]]:
    """Every row of the broadcaster's, column by column."""
    found: dict[str, list[Any]] = {
        "subscriptions": list(
            Subscription.objects.filter(endpoint__broadcaster=broadcaster).values()
        )
    }
    for model in apps.get_models():
        if any(field.name == "broadcaster" for field in model._meta.fields):
            rows = model._default_manager.filter(broadcaster=broadcaster)
            found[model._meta.label] = list(rows.order_by("pk").values())
    return found


def text_of(response: Any) -> str:
    parts = response.streaming_content if response.streaming else [response.content]
    headers = "".join(f"{name}: {value}\n" for name, value in response.items())
    text: str = b"".join(parts).decode(errors="replace")
    return headers + text
