"""The catalogue as pages."""

import re
from html import unescape

import pytest

from subscriptions.platforms.schema_fields import SchemaField, list_schema_fields
from tests.portal_clients import HTMX, Portal, make_portal


def test_the_catalogue_lists_every_topic_with_its_source(portal: Portal) -> None:
    html = portal.client("viewer").get(portal.url("topic-list")).content.decode()
    for topic in portal.live.platform.topics.all():
        assert f">{topic.name}</a>" in html
    assert "Undocumented sample" in html


def test_the_catalogue_is_searched(portal: Portal) -> None:
    url = portal.url("topic-list")
    client = portal.client("viewer")
    html = client.get(url, {"q": "license.cre"}, headers=HTMX).content.decode()
    assert re.findall(r'data-row-link href="[^"]*/topics/([^/]+)/"', html) == ["license.created"]
    assert "Clear filters" in client.get(url, {"q": "zzz"}).content.decode()


@pytest.mark.parametrize("platform", ["cleeng", "cleverpush", "cryptlex", "clawget", "standard"])
def test_every_topic_has_a_page_with_its_envelope_and_fields(db: None, platform: str) -> None:
    portal = make_portal(platform)
    client = portal.client("viewer")
    for topic in portal.live.platform.topics.all():
        response = client.get(portal.url("topic-detail", topic.name))
        assert response.status_code == 200
        html = unescape(re.sub("<[^>]+>", "", response.content.decode()))
        for field, _ in portal.live.rules.body:
            if field != "*":
                assert f'"{field}"' in html
        for name in topic.sample_data:
            assert name in html


def test_a_topic_names_the_webhooks_that_get_it(portal: Portal) -> None:
    portal.add_endpoint(name="Named", topics=["license.created"])
    portal.add_endpoint(name="Everything")
    portal.add_endpoint(name="Other", topics=["license.expired"])
    html = portal.client("viewer").get(portal.url("topic-detail", "license.created")).content
    assert b">Named</a>" in html
    assert b">Everything</a>" in html
    assert b">Other</a>" not in html


def test_a_topic_that_the_platform_lacks_is_not_found(portal: Portal) -> None:
    response = portal.client("viewer").get(portal.url("topic-detail", "purchase.completed"))
    assert response.status_code == 404


def test_a_schema_becomes_rows_nested_fields_after_their_parent() -> None:
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "description": "Who."},
            "buyer": {"type": "object", "properties": {"mail": {"type": ["string", "null"]}}},
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"n": {"enum": [1, 2]}}},
            },
            "kind": {"const": "x", "format": "word"},
            "open": True,
        },
    }
    assert list_schema_fields(schema) == [
        SchemaField("id", "string", True, "Who"),
        SchemaField("buyer", "object", False, ""),
        SchemaField("buyer.mail", "string or null", False, ""),
        SchemaField("items", "array of objects", False, ""),
        SchemaField("items[].n", "any", False, "one of 1, 2"),
        SchemaField("kind", "constant", False, "format word; always x"),
        SchemaField("open", "any", False, ""),
    ]
    assert list_schema_fields({}) == []
