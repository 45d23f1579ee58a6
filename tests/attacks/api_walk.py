"""Every address of the API, from the URLconf itself, and what to call it with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from tests.api_clients import URL, Api, account


class Operation(NamedTuple):
    method: str
    address: str  # "/api/v1/endpoints/{endpoint_id}", as OpenAPI writes it
    queries: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.address}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.address)

    def path(self, **values: str) -> str:
        return self.address.format(**values)


def operations(patterns: Any = None, prefix: str = "/") -> Iterator[Operation]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from operations(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "actions"):
            callback: Any = pattern.callback
            view = callback.cls
            for method, action in callback.actions.items():
                if method != "head":
                    named = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)
                    yield Operation(method.upper(), named, tuple(view.queries.get(action, ())))


OPERATIONS = sorted(operations())
WITH_IDS = [operation for operation in OPERATIONS if operation.parameters]
LISTS = [operation for operation in OPERATIONS if operation.queries]

# A body for each operation that takes one, to be accepted by an account on Cleeng.
EVENT = {
    "topic": "passCreated",
    "data": {"passId": "p-2"},
    "id": "own-1",
    "occurred_at": "2026-11-20T10:00:00Z",
}
GOOD: dict[str, Any] = {
    "POST /api/v1/events": EVENT,
    "POST /api/v1/events/batch": {"events": [EVENT]},
    "POST /api/v1/endpoints": {
        "name": "New",
        "url": URL,
        "topics": ["passCreated"],
        "active": True,
        "description": "For mails",
        "headers": {"X-Tenant": "north"},
        "rate_limit": 5,
        "timeout_seconds": 10,
        "signature": "standard",
    },
    "PATCH /api/v1/endpoints/{endpoint_id}": {
        "name": "Renamed",
        "url": URL,
        "topics": ["*"],
        "active": False,
        "description": "",
        "headers": {},
        "rate_limit": None,
        "timeout_seconds": None,
        "signature": None,
    },
    "POST /api/v1/endpoints/{endpoint_id}/rotate-token": {"overlap_seconds": 0},
    "POST /api/v1/endpoints/{endpoint_id}/test": {"topic": "passCreated", "data": {"a": 1}},
    "POST /api/v1/tokens": {
        "name": "CI",
        "scopes": ["events:write"],
        "expires_at": "2199-01-01T00:00:00Z",
    },
    "PUT /3.1/webhook_subscriptions/{topic}": [{"url": URL}],
}


@dataclass
class Account:
    """On Cleeng, which has all addresses, with one of everything."""

    token: str
    sandbox_token: str
    ids: dict[str, str]  # by the name they have in addresses

    @property
    def api(self) -> Api:
        return Api(self.token, base="")

    def path(self, operation: Operation) -> str:
        return operation.path(**self.ids)

    def send(self, label: str, body: str) -> Any:
        """Call the operation of this name, on what is there."""
        operation = next(operation for operation in OPERATIONS if str(operation) == label)
        return self.api.send(operation.method, self.path(operation), body)


def make_account(name: str = "Acme") -> Account:
    created = account("cleeng", name)
    api = Api(created.token)
    endpoint = api.post(
        "endpoints",
        {"name": f"{name} CRM", "url": URL, "topics": ["*"], "signature": "standard"},
    ).json()
    event = api.post("events", {"topic": "passCreated", "data": {"of": name}}).json()
    ids = {
        "endpoint_id": endpoint["id"],
        "event_id": event["id"],
        "delivery_id": event["deliveries"][0]["id"],
        "token_id": api.get("tokens").json()["data"][0]["id"],
        "name": "passCreated",
        "topic": "passCreated",
    }
    return Account(created.token, created.sandbox_token, ids)
