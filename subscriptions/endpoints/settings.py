"""What a user sets of an endpoint, and which of it the platform allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings as portal_settings

from subscriptions.catalogue import find_topic
from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.own_hosts import is_request_bin, own_hosts
from subscriptions.endpoints.url_rules import check_url
from subscriptions.errors import Refused
from subscriptions.models import Broadcaster, Endpoint, Topic
from subscriptions.models.endpoint import ALL_TOPICS
from subscriptions.platforms.rules import PlatformRules

MAX_ENDPOINT_TIMEOUT_SECONDS = 30
MAX_RATE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What a user sets. None in `topics` or `headers` keeps what is there."""

    name: str
    url: str
    topics: Sequence[str] | None = None
    description: str = ""
    active: bool = True
    headers: Sequence[tuple[str, str]] | None = None
    rate_limit: int | None = None
    timeout_seconds: int | None = None
    signature: str | None = None

    @classmethod
    def from_endpoint(cls, endpoint: Endpoint, **changes: Any) -> EndpointSettings:
        """The settings that the endpoint has, with these changes; topics and headers are kept."""
        values: dict[str, Any] = {
            field.name: getattr(endpoint, field.name)
            for field in fields(cls)
            if field.name not in ("topics", "headers")
        }
        return cls(**(values | changes))


def describe_settings(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint's settings as the audit log shows them, with secret headers masked."""
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "description": endpoint.description,
        "active": endpoint.active,
        "topics": endpoint.topic_names,
        "headers": [list(pair) for pair in mask_headers(endpoint.headers)],
        "rate_limit": endpoint.rate_limit,
        "timeout_seconds": endpoint.timeout_seconds,
        "signature": endpoint.signature,
    }


def check_settings(settings: EndpointSettings, rules: PlatformRules) -> None:
    """Raise Refused for a name, signature, timeout or rate limit that breaks a rule."""
    if not settings.name.strip():
        raise Refused("A webhook needs a name.", code="required", pointer="/name")
    if settings.signature is not None and settings.signature not in rules.signature.optional:
        raise Refused(
            f"{rules.title} does not allow the signature {settings.signature!r}: leave it empty "
            f"for the platform's own"
            + (
                f", or use {', '.join(rules.signature.optional)}."
                if rules.signature.optional
                else "."
            ),
            code="signature_not_allowed",
            pointer="/signature",
        )
    timeout_seconds = settings.timeout_seconds
    _check_range(timeout_seconds, MAX_ENDPOINT_TIMEOUT_SECONDS, "timeout_seconds", "seconds")
    _check_range(settings.rate_limit, MAX_RATE_LIMIT, "rate_limit", "requests per second")


def _check_range(value: int | None, maximum: int, field: str, unit: str) -> None:
    if value is not None and not 1 <= value <= maximum:
        raise Refused(
            f"{value} is out of range: 1 to {maximum} {unit}.",
            code="out_of_range",
            pointer=f"/{field}",
        )


def check_endpoint_url(url: str, rules: PlatformRules) -> str:
    """The URL in its one spelling. Raises Refused with the reason in words."""
    if is_request_bin(url):
        return url
    return check_url(
        url,
        https_required=rules.https_required,
        own_hosts=own_hosts(),
        allowed_networks=portal_settings.WEBHOOKS_ALLOWED_NETWORKS,
    )


def find_topics(broadcaster: Broadcaster, names: Iterable[str]) -> tuple[bool, list[Topic]]:
    """Whether these names stand for all topics; if not, the topics, each once.

    Raises Refused for no name, an unknown one, or "*" beside others.
    """
    chosen = list(dict.fromkeys(names))
    if chosen == [ALL_TOPICS]:
        return True, []
    if ALL_TOPICS in chosen:
        raise Refused(
            'Give "*" alone for all topics, or the topics by name.',
            code="invalid_topics",
            pointer="/topics",
        )
    if not chosen:
        raise Refused(
            'Choose at least one topic, or "*" for all.', code="required", pointer="/topics"
        )
    found = {
        topic.pk: topic
        for topic in (find_topic(broadcaster.platform, name, pointer="/topics") for name in chosen)
    }
    return False, list(found.values())
