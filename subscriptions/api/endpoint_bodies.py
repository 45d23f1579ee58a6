"""Endpoints as JSON, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers

from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.models import Endpoint
from subscriptions.models.endpoint import EndpointStatus
from subscriptions.rest.fields import Flag, Input, Output, Text, Time, WholeNumber

READ_ONLY = frozenset(
    [
        "id",
        "status",
        "status_reason",
        "status_changed_at",
        "created_at",
        "updated_at",
        "token_hint",
        "previous_expires_at",
    ]
)


class EndpointOutput(Output):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    url = serializers.CharField()
    topics = serializers.SerializerMethodField()
    active = serializers.BooleanField()
    description = serializers.CharField()
    headers = serializers.SerializerMethodField()
    rate_limit = serializers.IntegerField(allow_null=True, help_text="Requests per second.")
    timeout_seconds = serializers.IntegerField(allow_null=True, help_text="null: the platform's.")
    signature = serializers.ChoiceField(
        choices=["none", "standard"], allow_null=True, help_text="null: the platform's own."
    )
    status = serializers.ChoiceField(choices=EndpointStatus.choices)
    status_reason = serializers.CharField()
    status_changed_at = Time()
    created_at = Time()
    updated_at = Time()
    token_hint = serializers.CharField(help_text="The last four characters of the signing token.")
    previous_expires_at = Time(
        allow_null=True, help_text="Until when the token before the last rotation is good."
    )

    def get_topics(self, endpoint: Endpoint) -> list[str]:
        """Names, or ["*"] for all topics, later ones included."""
        return endpoint.topic_names

    def get_headers(self, endpoint: Endpoint) -> dict[str, str]:
        """Values are masked where the name says that they are secret."""
        return dict(mask_headers(endpoint.headers))


class NewEndpointOutput(EndpointOutput):
    token = serializers.CharField(
        help_text="The signing token, shown here once; empty where requests are not signed."
    )


class HeadersField(serializers.DictField):
    child = Text(allow_blank=True, trim_whitespace=False, max_length=2_000)


class EndpointInput(Input):
    """`name` is the URL's host unless given."""

    read_only_names = READ_ONLY

    name = Text(max_length=100, required=False)
    url = Text(max_length=2048)
    topics = serializers.ListField(child=Text(max_length=100), max_length=1_000)
    active = Flag(required=False)
    description = Text(required=False, allow_blank=True, max_length=10_000)
    headers = HeadersField(required=False)
    rate_limit = WholeNumber(required=False, allow_null=True)
    timeout_seconds = WholeNumber(required=False, allow_null=True)
    signature = serializers.ChoiceField(
        choices=["none", "standard"], required=False, allow_null=True
    )


class NewEndpointInput(EndpointInput):
    token = Text(
        required=False,
        max_length=500,
        help_text="Where the platform lets users choose the signing token.",
    )


def parse_settings(values: Mapping[str, Any]) -> EndpointSettings:
    """The settings in NewEndpointInput's validated data.

    The name is the URL's host unless given.
    """
    given = {name: value for name, value in values.items() if name not in ("token", "headers")}
    given.setdefault("name", _host(values["url"]))
    headers = tuple(values.get("headers", {}).items())
    return EndpointSettings(headers=headers, **given)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:100] or "Webhook"
    except ValueError:
        return "Webhook"  # Checking the URL will refuse it, with the reason.


def restore_masked_values(headers: Mapping[str, str], endpoint: Endpoint) -> list[tuple[str, str]]:
    """The headers, with each mask that is sent back as it was read replaced by the stored value."""
    stored = {name.lower(): (name, value) for name, value in endpoint.headers}
    restored = []
    for name, value in headers.items():
        before = stored.get(name.lower())
        is_unchanged = before is not None and mask_headers([before])[0][1] == value
        restored.append((name, before[1] if before and is_unchanged else value))
    return restored


def drop_repeated_fields(data: Any, current: Mapping[str, Any]) -> Any:
    """A PATCH body without the read-only fields that it repeats with their current values."""
    if not isinstance(data, dict):
        return data
    return {
        name: value
        for name, value in data.items()
        if not (name in READ_ONLY and value == current[name])
    }
