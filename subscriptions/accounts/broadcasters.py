"""Broadcasters: created with a sandbox and a publisher token for each, and changed by staff."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from subscriptions.accounts.publisher_tokens import create_token
from subscriptions.audit import SYSTEM, Actor, record
from subscriptions.errors import Conflict, Refused
from subscriptions.models import Broadcaster, Member, Platform, Scope, User
from subscriptions.models.broadcaster import Environment, Role

MAX_OWNED = 100


@dataclass(frozen=True, slots=True)
class CreatedBroadcaster:
    """A live broadcaster and its sandbox, with the plain texts of their first publisher tokens."""

    broadcaster: Broadcaster
    token: str
    sandbox: Broadcaster
    sandbox_token: str


def _create(
    name: str, platform: Platform, live: Broadcaster | None, actor: Actor
) -> tuple[Broadcaster, str]:
    broadcaster = Broadcaster.objects.create(
        name=name,
        platform=platform,
        environment=Environment.SANDBOX if live else Environment.LIVE,
        live=live,
    )
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="broadcaster.create",
        target=name,
        after={"platform": platform.name},
    )
    first_token = create_token(
        broadcaster=broadcaster, name="First token", scopes=Scope.values, actor=actor
    )
    return broadcaster, first_token.plaintext


def _check_owned(owner: User | None, actor: Actor) -> None:
    """Raise Conflict if the owner is the actor and owns MAX_OWNED already; staff have no limit."""
    if owner is None or owner != actor.user or owner.is_staff:
        return
    # Locked, so that two requests at once cannot pass the limit together.
    User.objects.select_for_update().get(pk=owner.pk)
    if owner.memberships.filter(role=Role.OWNER).count() >= MAX_OWNED:
        raise Conflict(
            f"You own {MAX_OWNED} broadcasters already: ask your operator for more.",
            code="broadcaster_limit_reached",
        )


@transaction.atomic
def create_broadcaster(
    *, name: str, platform: str, owner: User | None = None, actor: Actor = SYSTEM
) -> CreatedBroadcaster:
    """Create a live broadcaster, its sandbox, a token with all scopes for each, and its owner.

    Raises Refused for an empty name or an unknown platform, Conflict if the owner creates it and
    has MAX_OWNED already.
    """
    if not name.strip():
        raise Refused("A broadcaster needs a name.", code="required", pointer="/name")
    _check_owned(owner, actor)
    found = Platform.objects.filter(pk=platform).first()
    if found is None:
        known = ", ".join(Platform.objects.values_list("name", flat=True))
        raise Refused(
            f"Unknown platform {platform!r}: use one of {known or 'none loaded yet'}.",
            code="unknown_platform",
            pointer="/platform",
        )
    broadcaster, token = _create(name.strip(), found, None, actor)
    sandbox, sandbox_token = _create(name.strip(), found, broadcaster, actor)
    if owner is not None:
        Member.objects.create(broadcaster=broadcaster, user=owner, role=Role.OWNER)
    return CreatedBroadcaster(broadcaster, token, sandbox, sandbox_token)


@transaction.atomic
def update_broadcaster(
    *,
    broadcaster: Broadcaster,
    name: str,
    max_endpoints: int | None,
    publish_rate: int | None,
    paused: bool,
    actor: Actor,
) -> bool:
    """Change what staff may change of a broadcaster; False if nothing differs.

    While it is paused, events are accepted and nothing is sent. Raises Refused for an empty name.
    """
    if not name.strip():
        raise Refused("A broadcaster needs a name.", code="required", pointer="/name")
    values = {
        "name": name.strip(),
        "max_endpoints": max_endpoints,
        "publish_rate": publish_rate,
        "paused": paused,
    }
    before = {field: getattr(broadcaster, field) for field in values}
    changed = [field for field in values if before[field] != values[field]]
    if not changed:
        return False
    for field in changed:
        setattr(broadcaster, field, values[field])
    broadcaster.save(update_fields=changed)
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="broadcaster.update",
        target=broadcaster.name,
        before={field: before[field] for field in changed},
        after={field: values[field] for field in changed},
    )
    return True
