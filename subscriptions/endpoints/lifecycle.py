"""Endpoints: made, changed, switched, suspended, deleted. Token verbs are in endpoint_tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from subscriptions.audit import Actor, record
from subscriptions.catalogue.topics import find_topic
from subscriptions.endpoints.header_rules import check_headers, masked
from subscriptions.endpoints.own_hosts import is_request_bin, own_hosts
from subscriptions.endpoints.tokens import checked_token, set_first_token
from subscriptions.endpoints.url_rules import check_url
from subscriptions.errors import Conflict, Refused
from subscriptions.models import Broadcaster, Endpoint, Subscription, Topic
from subscriptions.platforms.rules import PlatformRules
from subscriptions.signals import endpoint_resumed, endpoint_stopped

ALL_TOPICS = "*"
MAX_TIMEOUT_SECONDS = 30
MAX_RATE_LIMIT = 10_000
# Of a broadcaster whose platform sets no limit: each event is stored for all that want it at once.
# Staff can set another.
MAX_ENDPOINTS = 10_000
_SETTINGS_COLUMNS = (
    "name", "url", "description", "all_topics", "headers", "rate_limit", "timeout_seconds",
    "signature", "updated_at",
)  # fmt: skip


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


class NewEndpoint(NamedTuple):
    endpoint: Endpoint
    token: str  # plain text, here once; "" where the platform has none


def checked_url(url: str, rules: PlatformRules) -> str:
    """The normalised URL. Raises Refused with the reason in words."""
    if is_request_bin(url):
        return url
    return check_url(
        url,
        https_required=rules.https_required,
        own_hosts=own_hosts(),
        allowed_networks=settings.WEBHOOKS_ALLOWED_NETWORKS,
    )


def _check_settings(wanted: EndpointSettings, rules: PlatformRules) -> None:
    if not wanted.name.strip():
        raise Refused("A webhook needs a name.", code="required", pointer="/name")
    if wanted.signature is not None and wanted.signature not in rules.signature.optional:
        raise Refused(
            f"{rules.title} does not allow the signature {wanted.signature!r}: leave it empty for "
            f"the platform's own"
            + (
                f", or use {', '.join(rules.signature.optional)}."
                if rules.signature.optional
                else "."
            ),
            code="signature_not_allowed",
            pointer="/signature",
        )
    _check_range(wanted.timeout_seconds, 1, MAX_TIMEOUT_SECONDS, "timeout_seconds", "seconds")
    _check_range(wanted.rate_limit, 1, MAX_RATE_LIMIT, "rate_limit", "requests per second")


def _check_range(value: int | None, low: int, high: int, field: str, unit: str) -> None:
    if value is not None and not low <= value <= high:
        raise Refused(
            f"{value} is out of range: {low} to {high} {unit}.",
            code="out_of_range",
            pointer=f"/{field}",
        )


def _topics(broadcaster: Broadcaster, names: Iterable[str]) -> tuple[bool, list[Topic]]:
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


def _subscribe(endpoint: Endpoint, topics: Iterable[Topic]) -> None:
    wanted = {topic.pk for topic in topics}
    endpoint.subscriptions.exclude(topic_id__in=wanted).delete()
    Subscription.objects.bulk_create(
        [Subscription(endpoint=endpoint, topic_id=pk) for pk in sorted(wanted)],
        ignore_conflicts=True,
    )


def _check_limit(broadcaster: Broadcaster) -> None:
    limit = broadcaster.endpoint_limit
    if limit is None:
        limit = MAX_ENDPOINTS
    count = Endpoint.objects.for_broadcaster(broadcaster).count()
    if count >= limit:
        raise Conflict(
            f"{broadcaster.name} has {count:,} webhooks, and {limit:,} is its limit: delete one "
            "first, or ask your operator to raise it.",
            code="endpoint_limit_reached",
        )


@transaction.atomic
def create_endpoint(
    *, broadcaster: Broadcaster, wanted: EndpointSettings, actor: Actor, token: str | None = None
) -> NewEndpoint:
    """Make an endpoint with its subscriptions and, where the platform signs, its token.

    `token` is the user's own where the platform lets users type it; otherwise one is made.
    Raises Refused for a setting that breaks a rule, Conflict at the limit.
    """
    # Locked, so that two requests at once cannot pass the limit together.
    broadcaster = (
        Broadcaster.objects.select_for_update(of=("self",))
        .select_related("platform")
        .get(pk=broadcaster.pk)
    )
    rules = broadcaster.rules
    _check_limit(broadcaster)
    _check_settings(wanted, rules)
    all_topics, topics = _topics(broadcaster, wanted.topics or ())
    headers = check_headers(wanted.headers or (), signature_header=rules.signature.header)
    endpoint = Endpoint(
        broadcaster=broadcaster,
        name=wanted.name.strip(),
        url=checked_url(wanted.url, rules),
        description=wanted.description,
        active=wanted.active,
        all_topics=all_topics,
        headers=[list(pair) for pair in headers],
        rate_limit=wanted.rate_limit,
        timeout_seconds=wanted.timeout_seconds,
        signature=wanted.signature,
    )
    plaintext = set_first_token(endpoint, checked_token(endpoint, token))
    endpoint.save()
    _subscribe(endpoint, topics)
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="endpoint.create",
        target=endpoint.public_id,
        after=described(endpoint),
    )
    return NewEndpoint(endpoint, plaintext)


def described(endpoint: Endpoint) -> dict[str, Any]:
    """The settings as the audit log shows them: no secret in them."""
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "description": endpoint.description,
        "active": endpoint.active,
        "topics": topic_names(endpoint),
        "headers": [list(pair) for pair in masked(endpoint.headers)],
        "rate_limit": endpoint.rate_limit,
        "timeout_seconds": endpoint.timeout_seconds,
        "signature": endpoint.signature,
    }


def topic_names(endpoint: Endpoint) -> list[str]:
    """As the API has them: names in catalogue order, or ["*"]."""
    return [ALL_TOPICS] if endpoint.all_topics else [t.name for t in endpoint.topics.all()]


@transaction.atomic
def update_endpoint(*, endpoint: Endpoint, wanted: EndpointSettings, actor: Actor) -> Endpoint:
    """Change an endpoint to these settings. Raises Refused as create_endpoint does."""
    broadcaster = endpoint.broadcaster
    rules = broadcaster.rules
    _check_settings(wanted, rules)
    before = described(endpoint)
    if wanted.url != endpoint.url:
        endpoint.url = checked_url(wanted.url, rules)
    if wanted.headers is not None:
        headers = check_headers(wanted.headers, signature_header=rules.signature.header)
        endpoint.headers = [list(pair) for pair in headers]
    endpoint.name = wanted.name.strip()
    for field in ("description", "rate_limit", "timeout_seconds", "signature"):
        setattr(endpoint, field, getattr(wanted, field))
    if wanted.topics is not None:
        endpoint.all_topics, topics = _topics(broadcaster, wanted.topics)
        _subscribe(endpoint, topics)
    columns = [*_SETTINGS_COLUMNS]
    if set_first_token(endpoint, None):
        columns += ["token_ciphertext", "token_hint", "token_rotated_at"]
    # Only these: a rotation, a suspension or a deletion since it was read is not undone.
    endpoint.save(update_fields=columns)
    after = described(endpoint)
    if wanted.active != endpoint.active:
        set_active(endpoint=endpoint, active=wanted.active, actor=actor)
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


def current_settings(endpoint: Endpoint, **changes: Any) -> EndpointSettings:
    """The settings it has, with these changed: for callers that change a few."""
    values: dict[str, Any] = {
        field.name: getattr(endpoint, field.name)
        for field in fields(EndpointSettings)
        if field.name not in ("topics", "headers")
    }
    return EndpointSettings(**(values | changes))


@transaction.atomic
def set_active(*, endpoint: Endpoint, active: bool, actor: Actor) -> bool:
    """Switch it on or off; False where it was so already.

    Off: what is pending is cancelled. On: later events are sent, those of the meantime are not,
    and a suspension is lifted.
    """
    now = timezone.now()
    changed = Endpoint.objects.filter(pk=endpoint.pk, active=not active, deleted_at=None).update(
        active=active,
        suspended_at=None,
        status_reason="" if active else f"Switched off by {actor.label}"[:200],
        status_changed_at=now,
        status_changed_by=actor.user,
        updated_at=now,
    )
    endpoint.refresh_from_db()
    if not changed:
        return False
    if active:
        endpoint_resumed.send(Endpoint, endpoint=endpoint)
    else:
        endpoint_stopped.send(Endpoint, endpoint=endpoint, reason="The webhook was switched off.")
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.activate" if active else "endpoint.deactivate",
        target=endpoint.public_id,
    )
    return True


@transaction.atomic
def suspend(*, endpoint: Endpoint, reason: str, actor: Actor) -> bool:
    """Stop sending to it until someone resumes it; False where it was stopped already."""
    now = timezone.now()
    changed = Endpoint.objects.filter(
        pk=endpoint.pk, active=True, suspended_at=None, deleted_at=None
    ).update(
        suspended_at=now,
        status_reason=reason[:200],
        status_changed_at=now,
        status_changed_by=actor.user,
        updated_at=now,
    )
    endpoint.refresh_from_db()
    if not changed:
        return False
    endpoint_stopped.send(
        Endpoint, endpoint=endpoint, reason=f"The webhook was suspended: {reason}"
    )
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.suspend",
        target=endpoint.public_id,
        after={"reason": reason},
    )
    return True


@transaction.atomic
def resume(*, endpoint: Endpoint, actor: Actor) -> None:
    """Lift a suspension. Raises Conflict where there is none."""
    now = timezone.now()
    if not Endpoint.objects.filter(
        pk=endpoint.pk, suspended_at__isnull=False, deleted_at=None
    ).update(
        suspended_at=None,
        status_reason="",
        status_changed_at=now,
        status_changed_by=actor.user,
        updated_at=now,
    ):
        raise Conflict(
            f"{endpoint.name} is not suspended: there is nothing to resume.", code="not_suspended"
        )
    endpoint.refresh_from_db()
    endpoint_resumed.send(Endpoint, endpoint=endpoint)
    record(
        broadcaster=endpoint.broadcaster,
        actor=actor,
        action="endpoint.resume",
        target=endpoint.public_id,
    )


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint, actor: Actor) -> None:
    """Take it away: nothing more is sent; its log stays, its tokens go."""
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
