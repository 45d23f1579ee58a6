"""The API's resources of the account and the catalogue: broadcaster, topics, use cases."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from subscriptions.catalogue import find_topic
from subscriptions.errors import Refused
from subscriptions.models import Topic, UseCase
from subscriptions.rest.fields import Output
from subscriptions.rest.openapi import PAGE_PARAMETERS, operation, page_output
from subscriptions.rest.pagination import PAGE_QUERY, page_of_list
from subscriptions.rest.viewsets import TenantViewSet, not_found


class LimitsOutput(Output):
    max_endpoints = serializers.IntegerField(allow_null=True, source="endpoint_limit")
    max_event_bytes = serializers.IntegerField()
    max_batch_bytes = serializers.IntegerField()
    max_batch_events = serializers.IntegerField()


class BodyFieldOutput(Output):
    field = serializers.CharField(help_text="`*` stands for all fields of the event's data.")
    source_ = serializers.CharField()


class WireOutput(Output):
    content_type = serializers.CharField()
    body = BodyFieldOutput(many=True)
    signature = serializers.DictField(help_text="Scheme, header, and where the token comes from.")
    delivery = serializers.DictField(help_text="Success codes, timeout and retry delays, seconds.")
    https_required = serializers.BooleanField()


class BroadcasterOutput(Output):
    id = serializers.IntegerField()
    name = serializers.CharField()
    platform = serializers.CharField()
    environment = serializers.ChoiceField(choices=["live", "sandbox"])
    paused = serializers.BooleanField()
    limits = LimitsOutput()
    wire = WireOutput()


class BroadcasterViewSet(TenantViewSet):
    scopes = {"retrieve": None}

    @operation("Whose token this is", responses={200: BroadcasterOutput}, tag="Account")
    def retrieve(self, request: Request) -> Response:
        broadcaster = self.broadcaster
        rules = broadcaster.rules.to_dict()
        wire: Any = rules["wire"]
        return Response(
            {
                "id": broadcaster.pk,
                "name": broadcaster.name,
                "platform": broadcaster.platform_id,
                "environment": broadcaster.environment,
                "paused": broadcaster.paused,
                "limits": {
                    "max_endpoints": broadcaster.endpoint_limit,
                    "max_event_bytes": 256 * 1024,
                    "max_batch_bytes": 8 * 1024 * 1024,
                    "max_batch_events": 1_000,
                },
                "wire": {
                    "content_type": wire["content_type"],
                    "body": [{"field": name, "source": source} for name, source in wire["body"]],
                    "signature": rules["signature"],
                    "delivery": rules["delivery"],
                    "https_required": broadcaster.rules.https_required,
                },
            }
        )


class TopicOutput(Output):
    name = serializers.CharField()
    group = serializers.CharField()
    description = serializers.CharField()
    use_cases = serializers.ListField(child=serializers.CharField())
    aliases = serializers.ListField(child=serializers.CharField())
    deprecated = serializers.BooleanField()
    documented = serializers.BooleanField(help_text="False: the sample is ours, not a document's.")
    sample = serializers.DictField(help_text="A valid `data`.")
    schema = serializers.DictField(help_text="JSON Schema of `data`.")


def _represent_topic(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "group": topic.group,
        "description": topic.description,
        "use_cases": [case.name for case in topic.use_cases.all()],
        "aliases": topic.aliases,
        "deprecated": topic.deprecated,
        "documented": topic.source != "prop",
        "sample": topic.sample_data,
        "schema": topic.schema,
    }


class TopicViewSet(TenantViewSet):
    scopes = {"list": None, "retrieve": None}
    queries = {"list": PAGE_QUERY}

    @operation(
        "List topics",
        responses={200: page_output(TopicOutput)},
        parameters=PAGE_PARAMETERS,
        tag="Catalogue",
        description="In the order of the catalogue.",
    )
    def list(self, request: Request) -> Response:
        topics = list(self.broadcaster.platform.topics.prefetch_related("use_cases"))
        return Response(
            page_of_list(topics, self.query, lambda topic: topic.pk).body(_represent_topic)
        )

    @operation(
        "Read a topic",
        responses={200: TopicOutput},
        problems=[404],
        tag="Catalogue",
        description="By its name or an alias.",
    )
    def retrieve(self, request: Request, name: str) -> Response:
        return Response(_represent_topic(topic_or_404(self, name)))


def topic_or_404(view: TenantViewSet, name: str) -> Topic:
    """The topic in the URL. Raises the API's NotFound."""
    try:
        if "\0" in name or len(name) > 100:
            raise not_found("topic", name)
        return find_topic(view.broadcaster.platform, name)
    except Refused as refused:
        raise not_found("topic", name) from refused


class UseCaseOutput(Output):
    name = serializers.CharField()
    description = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())


def _represent_use_case(case: UseCase) -> dict[str, Any]:
    return {
        "name": case.name,
        "description": case.description,
        "topics": [topic.name for topic in case.topics.all()],
    }


class UseCaseViewSet(TenantViewSet):
    scopes = {"list": None}

    @operation(
        "List use cases",
        responses={200: UseCaseOutput(many=True)},
        tag="Catalogue",
        description="All of them, in one array.",
    )
    def list(self, request: Request) -> Response:
        cases = self.broadcaster.platform.use_cases.prefetch_related("topics")
        return Response([_represent_use_case(case) for case in cases])
