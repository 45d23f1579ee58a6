"""Inserts the rows that a scenario works on: quickly, and the same for every run."""

from __future__ import annotations

from typing import Any


def broadcaster(name: str = "Bench", platform: str = "clawget") -> Any:
    from subscriptions.accounts import create_broadcaster

    return create_broadcaster(name=name, platform=platform)


def endpoints(tenant: Any, count: int, url: str) -> list[Any]:
    """Create endpoints with a token each; `{n}` in the URL stands for the endpoint's number."""
    from subscriptions.endpoints.signing_tokens import set_first_token
    from subscriptions.models import Endpoint

    made = []
    for n in range(count):
        endpoint = Endpoint(
            broadcaster=tenant, name=f"Endpoint {n}", url=url.format(n=n), all_topics=True
        )
        set_first_token(endpoint, None)
        made.append(endpoint)
    return list(Endpoint.objects.bulk_create(made))


def deliveries(tenant: Any, targets: list[Any], count: int, *, start: int = 0) -> None:
    """Insert `count` due deliveries, with an event each, for the targets in turn."""
    from django.utils import timezone

    from deliveries.models import Delivery, Event
    from deliveries.publishing import NewEvent, make_delivery, make_event

    now = timezone.now()
    for first in range(start, start + count, 2000):
        numbers = range(first, min(first + 2000, start + count))
        events = [
            make_event(
                broadcaster=tenant,
                new=NewEvent("purchase.completed", _data(n)),
                now=now,
            )
            for n in numbers
        ]
        Event.objects.bulk_create(events)
        Delivery.objects.bulk_create(
            make_delivery(event=event, endpoint=targets[n % len(targets)], max_attempts=6)
            for event, n in zip(events, numbers, strict=True)
        )


def _data(n: int) -> dict[str, Any]:
    return {
        "n": n,
        "purchase_id": f"pur_{n:09d}",
        "listing_id": "lst_abc123",
        "buyer": {"id": "usr_buyer123", "email": "buyer@example.com"},
        "amount": 475.50,
        "currency": "USD",
        "license_key": "CLW-XXXX-XXXX-XXXX",
    }
