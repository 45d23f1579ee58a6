"""The `webhooks` section of the OpenAPI description: what each platform sends, topic by topic."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from deliveries.payload.envelope import make_body
from subscriptions.models import Platform, Topic
from subscriptions.platforms.rules import SPREAD, PlatformRules, SignatureRules

_SAMPLE_TIME = datetime(2024, 3, 4, 9, 50, 51, 375_000, tzinfo=UTC)
_SAMPLE_ID = "evt_01hr3v0q9r5b8gmvks6qv9j3tz"
_FIELDS: dict[str, dict[str, Any]] = {
    "broadcaster.id": {"type": "integer"},
    "event.id": {"type": "string"},
    "occurred_at.iso_ms": {"type": "string", "format": "date-time"},
    "occurred_at.iso_ticks": {"type": "string", "format": "date-time"},
    "occurred_at.unix_seconds": {"type": "integer"},
}


def add_webhooks(result: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook: adds a webhook for each topic of each platform."""
    result["webhooks"] = {
        f"{platform.name}: {topic.name}": {"post": _operation(platform, topic)}
        for platform in Platform.objects.order_by("name").prefetch_related("topics")
        for topic in platform.topics.all()
    }
    return result


def _operation(platform: Platform, topic: Topic) -> dict[str, Any]:
    rules = platform.rules
    media_type = {"schema": _schema(rules, topic), **_example(rules, topic)}
    return {
        "summary": f"{platform.title}: {topic.name}",
        "description": topic.description,
        "tags": [f"{platform.title} webhooks"],
        "security": [],
        "deprecated": topic.deprecated,
        "parameters": _parameters(rules.signature),
        "requestBody": {"required": True, "content": {rules.content_type: media_type}},
        "responses": _responses(rules),
    }


def _schema(rules: PlatformRules, topic: Topic) -> dict[str, Any]:
    data = topic.schema or {"type": "object"}
    properties: dict[str, Any] = {}
    for field, source in rules.body:
        if source == "topic":
            properties[field] = {"const": topic.name}
        elif source == "data" and field != SPREAD:
            properties[field] = data
        elif source in _FIELDS:
            properties[field] = _FIELDS[source]
    own = {"type": "object", "properties": properties, "required": list(properties)}
    return {"allOf": [own, data]} if (SPREAD, "data") in rules.body else own


def _example(rules: PlatformRules, topic: Topic) -> dict[str, Any]:
    """The topic's sample as it would be sent; nothing if staff have saved one that cannot be sent."""
    try:
        text = make_body(
            rules.body,
            broadcaster_id=1,
            topic=topic.name,
            event_id=_SAMPLE_ID,
            occurred_at=_SAMPLE_TIME,
            data=topic.sample_data,
        )
    except ValueError:
        return {}
    return {"example": json.loads(text)}


def _parameters(signature: SignatureRules) -> list[dict[str, Any]]:
    names = [signature.header] if signature.header else []
    if signature.scheme == "standard":
        names = ["webhook-id", "webhook-timestamp", "webhook-signature"]
    return [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _responses(rules: PlatformRules) -> dict[str, Any]:
    timeout = f"{rules.timeout_seconds:g} s"
    accepted = {"description": f"Accepted, if answered within {timeout}."}
    codes = ["2XX"] if rules.success_codes is None else map(str, sorted(rules.success_codes))
    return {
        **dict.fromkeys(codes, accepted),
        "default": {
            "description": "Not accepted: sent again by the platform's retry schedule. 410 stops "
            "the endpoint."
        },
    }
