"""What an endpoint's own row says, with its platform's rules."""

from __future__ import annotations

import pytest

from subscriptions.accounts import create_broadcaster
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.models.endpoint import ALL_TOPICS

pytestmark = pytest.mark.django_db


def endpoint_of(platform: str, signature: str | None = None) -> Endpoint:
    broadcaster = create_broadcaster(name="Acme", platform=platform).broadcaster
    return Endpoint(broadcaster=broadcaster, signature=signature)


@pytest.mark.parametrize(
    ("platform", "signature", "scheme"),
    [
        ("cleeng", None, "none"),
        ("cleeng", "standard", "standard"),
        ("clawget", None, "hmac-sha256-hex"),
        ("clawget", "none", "none"),
        ("standard", None, "standard"),
    ],
)
def test_the_signature_is_the_endpoints_own_choice_or_else_its_platforms(
    platform: str, signature: str | None, scheme: str
) -> None:
    endpoint = endpoint_of(platform, signature)
    assert endpoint.signature_scheme == scheme
    assert endpoint.is_signed is (scheme != "none")


@pytest.mark.parametrize(
    ("platform", "token_format", "both_sign"),
    [
        ("standard", "whsec", True),
        ("cleeng", "whsec", True),
        ("clawget", "text", False),
        ("cryptlex", "text", False),
    ],
)
def test_the_platform_decides_how_tokens_look_and_whether_two_can_sign(
    platform: str, token_format: str, both_sign: bool
) -> None:
    endpoint = endpoint_of(platform)
    assert endpoint.token_format == token_format
    assert endpoint.can_carry_two_signatures is both_sign


def test_topics_are_named_in_the_catalogues_order_or_all_at_once() -> None:
    broadcaster = create_broadcaster(name="Acme", platform="clawget").broadcaster
    endpoint = Endpoint.objects.create(
        broadcaster=broadcaster, name="Mails", url="https://x.example/"
    )
    names = [topic.name for topic in broadcaster.platform.topics.all()]
    endpoint.topics.set(broadcaster.platform.topics.filter(name__in=[names[2], names[0]]))
    assert endpoint.topic_names == [names[0], names[2]]
    endpoint.all_topics = True
    assert endpoint.topic_names == [ALL_TOPICS]


def add(broadcaster: Broadcaster, name: str, **columns: object) -> Endpoint:
    return Endpoint.objects.create(
        broadcaster=broadcaster, name=name, url="https://x.example/", all_topics=True, **columns
    )


def test_an_event_is_for_active_and_suspended_endpoints_of_its_broadcaster() -> None:
    created = create_broadcaster(name="Acme", platform="clawget")
    now = created.broadcaster.created_at
    active = add(created.broadcaster, "active")
    suspended = add(created.broadcaster, "suspended", suspended_at=now)
    add(created.broadcaster, "inactive", active=False)
    add(created.broadcaster, "deleted", deleted_at=now)
    add(created.sandbox, "of another broadcaster")
    found = Endpoint.objects.wanting(created.broadcaster, "review.created")
    assert [endpoint.pk for endpoint in found] == [active.pk, suspended.pk]
    assert list(Endpoint.objects.sendable().filter(broadcaster=created.broadcaster)) == [active]
