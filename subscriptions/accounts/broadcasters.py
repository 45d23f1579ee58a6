"""Making broadcasters: a live one, its sandbox, and a publisher token for each."""

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
    """The tokens are plain texts, here once."""

    broadcaster: Broadcaster
    token: str
    sandbox: Broadcaster
    sandbox_token: str


def _make(
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
    made = create_token(
        broadcaster=broadcaster, name="First token", scopes=Scope.values, actor=actor
    )
    return broadcaster, made.plaintext


def _check_owned(owner: User | None, actor: Actor) -> None:
    """Who makes one for themselves can do so this often; staff and commands are not held up."""
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
    """Make a live broadcaster with its sandbox, a token with all scopes for each, and its owner.

    Raises Refused for an empty name or an unknown platform, Conflict for someone's hundred and first.
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
    broadcaster, token = _make(name.strip(), found, None, actor)
    sandbox, sandbox_token = _make(name.strip(), found, broadcaster, actor)
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
    """What staff may change of one; False where nothing is other than it was.

    Raises Refused for an empty name. While it is paused events are taken in, and nothing is sent.
    """
    if not name.strip():
        raise Refused("A broadcaster needs a name.", code="required", pointer="/name")
    wanted = {
        "name": name.strip(),
        "max_endpoints": max_endpoints,
        "publish_rate": publish_rate,
        "paused": paused,
    }
    before = {field: getattr(broadcaster, field) for field in wanted}
    changed = [field for field in wanted if before[field] != wanted[field]]
    if not changed:
        return False
    for field in changed:
        setattr(broadcaster, field, wanted[field])
    broadcaster.save(update_fields=changed)
    record(
        broadcaster=broadcaster,
        actor=actor,
        action="broadcaster.update",
        target=broadcaster.name,
        before={field: before[field] for field in changed},
        after={field: wanted[field] for field in changed},
    )
    return True
