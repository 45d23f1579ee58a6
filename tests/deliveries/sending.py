"""What tests of publishing and sending share: a broadcaster, an endpoint, one run of a pump."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deliveries.dispatch.concurrency import ConcurrencyLimits
from deliveries.dispatch.dispatcher import Dispatcher, make_transport
from deliveries.dispatch.leases import PumpLease
from deliveries.models import Delivery
from deliveries.publishing import publish
from subscriptions.accounts import CreatedBroadcaster, create_broadcaster
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import create_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.models import Broadcaster, Endpoint


def broadcaster_on(platform: str, name: str = "Acme") -> CreatedBroadcaster:
    return create_broadcaster(name=name, platform=platform)


def endpoint_at(
    url: str, broadcaster: Broadcaster, *, token: str | None = None, **settings: Any
) -> Endpoint:
    values = {"name": "Receiver", "url": url, "topics": ["*"]} | settings
    made = create_endpoint(
        broadcaster=broadcaster,
        settings=EndpointSettings(**values),
        actor=COMMAND_LINE,
        token=token,
    )
    return made.endpoint


def publish_one(broadcaster: Broadcaster) -> Delivery:
    """An event of Cryptlex, for the broadcaster's only endpoint."""
    published = publish(broadcaster=broadcaster, topic="license.created", data={"key": "D0"})
    return Delivery.objects.get(event=published.event)


@contextmanager
def pump(slot: int = 1, should_stop: Callable[[], bool] = lambda: False) -> Iterator[Dispatcher]:
    """A run of a pump in this process, ended as a real one ends."""
    lease = PumpLease.take(slot)
    assert lease is not None, "the slot is taken"
    transport = make_transport()
    dispatcher = Dispatcher(lease, transport, ConcurrencyLimits(), should_stop=should_stop)
    try:
        yield dispatcher
        dispatcher.finish(grace_seconds=0)
        lease.end()
    finally:
        transport.close()


def dispatch() -> None:
    """Send all that is due, and log it."""
    with pump() as dispatcher:
        dispatcher.run_until_idle()
