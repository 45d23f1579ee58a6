"""The OpenAPI description and the page that shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from subscriptions.models import Platform, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema() -> dict[str, Any]:
    response = Client().get("/api/schema/")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/json")
    description: dict[str, Any] = response.json()
    return description


def operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in schema["paths"].values() for operation in path.values()]


def test_the_description_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    check: Any = validate_schema
    check(schema)


def test_every_operation_documents_what_it_can_end_in(schema: dict[str, Any]) -> None:
    for operation in operations(schema):
        statuses = set(operation["responses"])
        assert {"400", "401", "403", "405", "429", "503"} <= statuses, operation["operationId"]
        assert any(status.startswith("2") for status in statuses)
        assert operation["summary"]
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= statuses
        for status, response in operation["responses"].items():
            if status >= "400":
                assert set(response["content"]) == {"application/problem+json"}


def test_operations_have_ids_of_their_own(schema: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(schema)]
    assert len(set(ids)) == len(ids)


def test_both_headers_for_the_token_are_described(schema: dict[str, Any]) -> None:
    schemes = schema["components"]["securitySchemes"]
    assert schemes["bearerToken"] == {
        "type": "http",
        "scheme": "bearer",
        "description": "A publisher token.",
    }
    assert schemes["publisherToken"]["name"] == "X-Publisher-Token"


def test_each_topic_of_each_platform_is_a_webhook_with_a_valid_example(
    schema: dict[str, Any],
) -> None:
    names = {f"{topic.platform_id}: {topic.name}" for topic in Topic.objects.all()}
    assert set(schema["webhooks"]) == names
    for webhook in schema["webhooks"].values():
        (content,) = webhook["post"]["requestBody"]["content"].values()
        Draft202012Validator(content["schema"]).validate(content["example"])


def test_clawgets_webhooks_say_what_its_page_says(schema: dict[str, Any]) -> None:
    webhook = schema["webhooks"]["clawget: purchase.completed"]["post"]
    assert [item["name"] for item in webhook["parameters"]] == ["X-Clawget-Signature"]
    assert list(webhook["requestBody"]["content"]["application/json"]["example"]) == [
        "type",
        "id",
        "created",
        "data",
    ]
    assert set(webhook["responses"]) == {"200", "default"}


def test_a_sample_that_cannot_be_sent_does_not_take_the_description_down() -> None:
    Topic.objects.filter(platform=Platform.objects.get(pk="clawget")).update(sample="{")
    webhook = Client().get("/api/schema/").json()["webhooks"]["clawget: review.created"]
    assert "example" not in webhook["post"]["requestBody"]["content"]["application/json"]


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script() -> None:
    response = Client().get("/api/docs/")
    assert response.status_code == 200
    html = response.content.decode()
    assert re.findall(r"<(?:style|script)[^>]*>[^<]+<", html) == []
    assert " style=" not in html
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert address.startswith("/"), address
    assert "'unsafe" not in response["Content-Security-Policy"]


def test_the_pages_script_has_an_address_of_its_own() -> None:
    response = Client().get("/api/docs/", {"script": ""})
    assert response["Content-Type"].startswith("application/javascript")
    assert b'url: "/api/schema/"' in response.content
