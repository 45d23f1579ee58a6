"""Staff pages: platforms from files are read-only, own ones are made, checked and used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from subscriptions.models import Platform, Topic
from subscriptions.models.platform import Origin
from tests.deliveries.sending import broadcaster_on
from tests.staff_clients import change_url, superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    return superuser()


def own_platform(root: Client, **changes: Any) -> Any:
    rules = json.loads(Platform.objects.get(pk="standard").rules_json)
    del rules["name"], rules["title"]
    for table, values in changes.items():
        rules[table] |= values
    return root.post(
        reverse("admin:subscriptions_platform_add"),
        {"name": "shop", "title": "Our shop", "rules_json": json.dumps(rules)},
    )


def test_a_platform_from_a_file_is_read_only(root: Client) -> None:
    topic = Topic.objects.filter(platform="clawget")[0]
    for model, pk in (("platform", "clawget"), ("topic", topic.pk)):
        url = change_url(f"subscriptions_{model}", pk)
        assert 'name="_save"' not in root.get(url).content.decode()
        assert root.post(url, {"title": "x"}).status_code == 403
        delete = reverse(f"admin:subscriptions_{model}_delete", args=[pk])
        assert root.post(delete, {"post": "yes"}).status_code == 403


def test_staff_create_a_platform_of_their_own_and_it_can_be_used(root: Client) -> None:
    assert own_platform(root, delivery={"timeout_seconds": 9}).status_code == 302
    platform = Platform.objects.get(pk="shop")
    assert platform.origin == Origin.OWN
    assert (platform.rules.title, platform.rules.timeout_seconds) == ("Our shop", 9)
    url = change_url("subscriptions_platform", "shop")
    assert "timeout_seconds" in root.get(url).content.decode()
    assert broadcaster_on("shop").broadcaster.rules.name == "shop"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"delivery": {"timeout_seconds": 0}}, "delivery.timeout_seconds"),
        ({"wire": {"body": [["x", "data"]]}}, "wire.body"),
        ({"signature": {"skeme": 1}}, "signature.skeme: unknown key"),
    ],
)
def test_a_mistake_in_the_rules_is_named(root: Client, changes: Any, words: str) -> None:
    response = own_platform(root, **changes)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Platform.objects.filter(pk="shop").exists()


def topic_form(**changes: Any) -> dict[str, Any]:
    form = {
        "platform": "shop",
        "name": "order.paid",
        "group": "orders",
        "group_title": "Orders",
        "position": "0",
        "description": "",
        "source": "prop",
        "aliases": "[]",
        "sample": '{"id": 1}',
        "schema": '{"type": "object", "required": ["id"]}',
    }
    return form | changes


def test_a_topic_of_a_platform_that_staff_created_is_added_and_changed(root: Client) -> None:
    own_platform(root)
    url = reverse("admin:subscriptions_topic_add")
    assert root.post(url, topic_form()).status_code == 302
    topic = Topic.objects.get(platform="shop")
    changed = topic_form(description="Paid.", aliases='["paid"]')
    assert root.post(change_url("subscriptions_topic", topic.pk), changed).status_code == 302
    topic.refresh_from_db()
    assert (topic.description, topic.aliases) == ("Paid.", ["paid"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "no spaces"}, "no topic"),
        ({"platform": "clawget"}, "valid choice"),
        ({"sample": "{"}, "cannot be used"),
        ({"sample": "[]"}, "must be a JSON object"),
        ({"sample": "{}"}, "not valid under the schema"),
        ({"schema": '{"type": 7}'}, "bad schema"),
        ({"aliases": '["a b"]'}, "JSON list of names"),
        ({"aliases": "{}"}, "JSON list of names"),
        ({"name": "order.made"}, "already"),
        ({"aliases": '["made"]'}, "already"),
    ],
)
def test_a_topic_that_could_not_be_used_is_refused(
    root: Client, changes: dict[str, str], words: str
) -> None:
    own_platform(root)
    url = reverse("admin:subscriptions_topic_add")
    root.post(url, topic_form(name="order.made", aliases='["made"]'))
    response = root.post(url, topic_form(**changes))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert Topic.objects.filter(platform="shop").count() == 1
