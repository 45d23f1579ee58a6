"""Endpoints: created, changed and deleted, with their subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.endpoints.header_rules import check_headers
from subscriptions.endpoints.settings import (
    EndpointSettings,
    check_endpoint_url,
    check_settings,
    describe_settings,
    find_topics,
)
from subscriptions.endpoints.signals import endpoint_stopped
from subscriptions.endpoints.signing_tokens import check_typed_token, set_first_token
from subscriptions.endpoints.status import set_endpoint_active
from subscriptions.errors import Conflict
from subscriptions.models import Broadcaster, Endpoint, Subscription, Topic

# The limit of a broadcaster that neither its platform nor staff have given one: publishing stores a
# delivery for each endpoint that wants the event, in one transaction.
MAX_ENDPOINTS = 10_000
_SETTINGS_COLUMNS = (
    "name",
    "url",
    "description",
    "all_topics",
    "headers",
    "rate_limit",
    "timeout_seconds",
    "signature",
    "updated_at",
)
_TOKEN_COLUMNS = ("token_ciphertext", "token_hint", "token_rotated_at")


class NewEndpoint(NamedTuple):
    """An endpoint, with its first signing token."""

    endpoint: Endpoint
    token: str  # plain text, here once; "" if its requests are not signed


@transaction.atomic
def create_endpoint(
    *, broadcaster: Broadcaster, settings: EndpointSettings, actor: Actor, token: str | None = None
) -> NewEndpoint:
    """Make an endpoint with its subscriptions and, if its requests are signed, its token.

    `token` is one that the user typed, if the platform allows that; otherwise one is generated.
    Raises Refused for a setting that breaks a rule, Conflict at the limit.
    """
    broadcaster = Broadcaster.objects.lock(broadcaster.pk)
    rules = broadcaster.rules
    _check_limit(broadcaster)
    check_settings(settings, rules)
    all_topics, topics = find_topics(broadcaster, settings.topics or ())
    headers = check_headers(settings.headers or (), signature_header=rules.signature.header)
    endpoint = Endpoint(
        broadcaster=broadcaster,
        name=settings.name.strip(),
        url=check_endpoint_url(settings.url, rules),
        description=settings.description,
        active=settings.active,
        all_topics=all_topics,
        headers=[list(pair) for pair in headers],
        rate_limit=settings.rate_limit,
        timeout_seconds=settings.timeout_seconds,
        signature=settings.signature,
    )
    plaintext = set_first_token(endpoint, check_typed_token(endpoint, token))
    endpoint.save()
    _subscribe(endpoint, topics)
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="endpoint.create",
        target=endpoint.public_id,
        after=describe_settings(endpoint),
    )
    return NewEndpoint(endpoint, plaintext)


@transaction.atomic
def update_endpoint(*, endpoint: Endpoint, settings: EndpointSettings, actor: Actor) -> Endpoint:
    """Change an endpoint to these settings. Raises Refused as create_endpoint does."""
    broadcaster = endpoint.broadcaster
    rules = broadcaster.rules
    check_settings(settings, rules)
    before = describe_settings(endpoint)
    if settings.url != endpoint.url:
        endpoint.url = check_endpoint_url(settings.url, rules)
    if settings.headers is not None:
        headers = check_headers(settings.headers, signature_header=rules.signature.header)
        endpoint.headers = [list(pair) for pair in headers]
    endpoint.name = settings.name.strip()
    for field in ("description", "rate_limit", "timeout_seconds", "signature"):
        setattr(endpoint, field, getattr(settings, field))
    if settings.topics is not None:
        endpoint.all_topics, topics = find_topics(broadcaster, settings.topics)
        _subscribe(endpoint, topics)
    columns = [*_SETTINGS_COLUMNS]
    if set_first_token(endpoint, None):
        columns += _TOKEN_COLUMNS
    # Only these columns: a rotation, suspension or deletion since it was read is not undone.
    endpoint.save(update_fields=columns)
    after = describe_settings(endpoint)
    if settings.active != endpoint.active:
        set_endpoint_active(endpoint=endpoint, active=settings.active, actor=actor)
    changed = [key for key in after if before[key] != after[key]]
    if changed:
        record(
            broadcaster=broadcaster,
            actor=actor,
            action="endpoint.update",
            target=endpoint.public_id,
            before={key: before[key] for key in changed},
            after={key: after[key] for key in changed},
        )
    return endpoint


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint, actor: Actor) -> None:
    """Delete it: nothing more is sent to it, its tokens go, and its event log stays.

    One that is deleted already is left as it is.
    """
    now = timezone.now()
    if not Endpoint.objects.filter(pk=endpoint.pk, deleted_at=None).update(
        deleted_at=now,
        active=False,
        token_ciphertext="",
        previous_token_ciphertext="",
        updated_at=now,
    ):
        return
    endpoint_stopped.send(Endpoint, endpoint=endpoint, reason="The webhook was deleted.")
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.delete",
        target=endpoint.public_id,
        before={"name": endpoint.name, "url": endpoint.url},
    )


def _subscribe(endpoint: Endpoint, topics: Iterable[Topic]) -> None:
    """Make these the endpoint's topics, and no others."""
    topic_ids = {topic.pk for topic in topics}
    endpoint.subscriptions.exclude(topic_id__in=topic_ids).delete()
    Subscription.objects.bulk_create(
        [Subscription(endpoint=endpoint, topic_id=pk) for pk in sorted(topic_ids)],
        ignore_conflicts=True,
    )


def _check_limit(broadcaster: Broadcaster) -> None:
    limit = broadcaster.endpoint_limit
    if limit is None:
        limit = MAX_ENDPOINTS
    count = broadcaster.endpoints.live().count()
    if count >= limit:
        raise Conflict(
            f"{broadcaster.name} has {count:,} webhooks, and {limit:,} is its limit: delete one "
            "first, or ask your operator to raise it.",
            code="endpoint_limit_reached",
        )
