"""The demonstration: a broadcaster on every platform, whose webhooks point at the request bin.

All of it belongs to one user, and is found again by that. It is made once: what a user changes or
deletes stays so.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from deliveries.models import RequestBin
from deliveries.publishing import publish
from deliveries.test_console.request_bin import bin_url, endpoints_sending_to, open_bin
from subscriptions.accounts import create_broadcaster
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.lifecycle import create_endpoint, update_endpoint
from subscriptions.endpoints.own_hosts import REQUEST_BIN_PATH
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.models import Broadcaster, Member, Platform, Topic, User
from subscriptions.models.broadcaster import Role
from subscriptions.models.endpoint import ALL_TOPICS

EMAIL = "demo@example.com"
LOGIN_FILE_NAME = "demo-password.txt"
_FIRST_EVENT_KEY = "demo-first-event"
_FAILING_PATH = "status/500/"


@dataclass(frozen=True, slots=True)
class Demo:
    """password: None if the user has set another since. created: how many broadcasters are new."""

    email: str
    password: str | None
    broadcasters: list[Broadcaster]
    created: int


def ensure_demo(data_dir: Path, *, follow: bool = True) -> Demo:
    """Make what is missing. follow: point the webhooks at WEBHOOKS_PUBLIC_URL as it is now."""
    with transaction.atomic():
        user, password = _ensure_user(data_dir / LOGIN_FILE_NAME)
        before = _broadcasters(user)
        for platform in Platform.objects.exclude(pk__in=before).order_by("title"):
            _make(platform, user)
        found = _broadcasters(user)
        for broadcaster in found.values() if follow else ():
            _point_at_this_server(broadcaster)
    for broadcaster in found.values():
        _publish_first_event(broadcaster)
    return Demo(EMAIL, password, list(found.values()), len(found) - len(before))


def _broadcasters(user: User) -> dict[str, Broadcaster]:
    """The user's own broadcasters by platform, the oldest of each."""
    members = Member.objects.filter(user=user, role=Role.OWNER).order_by("broadcaster_id")
    found: dict[str, Broadcaster] = {}
    for member in members.select_related("broadcaster__platform"):
        found.setdefault(member.broadcaster.platform_id, member.broadcaster)
    return dict(sorted(found.items()))


def _ensure_user(path: Path) -> tuple[User, str | None]:
    """The demonstration's user, a staff member, and its password if it is still the one made here.

    If the file with the password is not in this data directory, the user gets a new one.
    """
    user = User.objects.filter(email=EMAIL).first()
    password = path.read_text(encoding="ascii").strip() if path.exists() else ""
    if user is not None and password:
        return user, password if user.check_password(password) else None
    password = password or secrets.token_urlsafe(9)
    if user is None:
        user = User.objects.create_superuser(EMAIL, password, name="Demo")
    else:
        user.set_password(password)
        user.save(update_fields=["password"])
    _write_private(path, password)
    return user, password


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{text}\n")


def _make(platform: Platform, user: User) -> None:
    created = create_broadcaster(
        name=f"Demo {platform.title}", platform=platform.pk, owner=user, actor=COMMAND_LINE
    )
    broadcaster = created.broadcaster
    found = open_bin(broadcaster)
    _add_endpoint(broadcaster, "Request bin", bin_url(found), ALL_TOPICS)
    _add_endpoint(
        broadcaster,
        "Failing receiver",
        bin_url(found, _FAILING_PATH),
        first_topic(broadcaster).name,
    )


def _add_endpoint(broadcaster: Broadcaster, name: str, url: str, topic: str) -> None:
    create_endpoint(
        broadcaster=broadcaster,
        settings=EndpointSettings(name=name, url=url, topics=[topic]),
        actor=COMMAND_LINE,
    )


def first_topic(broadcaster: Broadcaster) -> Topic:
    """The topic of the first event."""
    return broadcaster.platform.topics.order_by("position", "name")[0]


def _point_at_this_server(broadcaster: Broadcaster) -> None:
    """Let the webhooks follow if the portal has another port or host than last time."""
    found = RequestBin.objects.filter(broadcaster=broadcaster).first()
    for endpoint in endpoints_sending_to(found) if found else ():
        path = endpoint.url[endpoint.url.index(REQUEST_BIN_PATH) :]
        url = f"{settings.WEBHOOKS_PUBLIC_URL}{path}"
        if url != endpoint.url:
            moved = EndpointSettings.from_endpoint(endpoint, url=url)
            update_endpoint(endpoint=endpoint, settings=moved, actor=COMMAND_LINE)


def _publish_first_event(broadcaster: Broadcaster) -> None:
    """Publish one event, once, so that the logs have a delivery that arrived and one that is retried."""
    if broadcaster.events.filter(idempotency_key=_FIRST_EVENT_KEY).exists():
        return
    topic = first_topic(broadcaster)
    publish(
        broadcaster=broadcaster,
        topic=topic.name,
        data=topic.sample_data,
        idempotency_key=_FIRST_EVENT_KEY,
    )
