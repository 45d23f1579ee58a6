"""The webhooks that the demonstration's history was delivered to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deliveries.demo.receivers import RECEIVERS, Receiver
from deliveries.signing.signature import signature_headers
from deliveries.test_console.request_bin import bin_url, endpoints_sending_to, open_bin
from deliveries.transport import USER_AGENT
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import create_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.endpoints.signing_tokens import decrypt_tokens
from subscriptions.models import Broadcaster, Endpoint, Topic
from subscriptions.platforms.rules import PlatformRules

# So many of the receivers want each topic.
_RECEIVERS_PER_TOPIC = 3


@dataclass(frozen=True, slots=True)
class DemoWebhook:
    endpoint: Endpoint
    receiver: Receiver
    rules: PlatformRules
    tokens: TokenPair | None

    def headers(self, event_id: str, body: bytes, sent_at: datetime) -> tuple[tuple[str, str], ...]:
        """The headers of a request, really signed, so that the signature debugger finds nothing wrong."""
        signed = signature_headers(
            signature=self.rules.signature,
            choice=self.endpoint.signature,
            tokens=self.tokens,
            event_id=event_id,
            body=body,
            sent_at=sent_at,
        )
        return (
            ("Content-Type", self.rules.content_type),
            ("User-Agent", USER_AGENT),
            *signed,
        )


def ensure_webhooks(
    broadcaster: Broadcaster, topics: Sequence[Topic], *, now: datetime, since: datetime
) -> dict[int, DemoWebhook]:
    """The demonstration's webhooks, by primary key; a missing one is made, as if at `since`.

    What a user has changed stays. Raises PortalError if the broadcaster may have no more webhooks.
    """
    before = set(broadcaster.endpoints.values_list("name", flat=True))
    url = _known_url(broadcaster)
    for position, receiver in enumerate(RECEIVERS):
        if receiver.name not in before:
            endpoint = _make(broadcaster, receiver, _choose_topics(topics, position))
            Endpoint.objects.filter(pk=endpoint.pk).update(url=url, created_at=since)
    by_name = {receiver.name: receiver for receiver in RECEIVERS}
    found = broadcaster.endpoints.live().filter(name__in=by_name)
    return {
        endpoint.pk: DemoWebhook(
            endpoint,
            by_name[endpoint.name],
            broadcaster.rules,
            decrypt_tokens(endpoint, now) if endpoint.is_signed else None,
        )
        for endpoint in found.select_related("broadcaster__platform")
    }


def _choose_topics(topics: Sequence[Topic], position: int) -> list[str]:
    """The topics of the receiver at this position; if the platform has too few, the first one."""
    chosen = [
        topic.name
        for n, topic in enumerate(topics)
        if (position - n) % len(RECEIVERS) < _RECEIVERS_PER_TOPIC
    ]
    return chosen or [topics[0].name]


def _known_url(broadcaster: Broadcaster) -> str:
    """The request bin's URL as the webhooks have it, since the portal may run on another port now."""
    found = open_bin(broadcaster)
    for endpoint in endpoints_sending_to(found):
        base, _, _ = endpoint.url.partition(found.public_id)
        return f"{base}{found.public_id}/"
    return bin_url(found)


def _make(broadcaster: Broadcaster, receiver: Receiver, topics: list[str]) -> Endpoint:
    settings = EndpointSettings(
        name=receiver.name,
        url=bin_url(open_bin(broadcaster)),
        topics=topics,
        description=f"Part of the demonstration: its past was at {receiver.url}, a made-up address; "
        "what is sent to it now goes to the request bin.",
    )
    return create_endpoint(broadcaster=broadcaster, settings=settings, actor=COMMAND_LINE).endpoint
