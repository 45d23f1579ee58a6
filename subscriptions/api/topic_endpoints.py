"""Cleeng's own API for webhooks: PUT a topic's whole list of URLs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from subscriptions.api.catalogue import topic_or_404
from subscriptions.endpoints.topic_endpoints import list_topic_endpoints, set_topic_endpoints
from subscriptions.errors import NotFound
from subscriptions.models import Scope
from subscriptions.rest.fields import Input, Output, Text
from subscriptions.rest.openapi import operation
from subscriptions.rest.viewsets import TenantViewSet

PLATFORM = "cleeng"


class TopicEndpointInput(Input):
    url = Text(max_length=2048)


class TopicEndpointOutput(Output):
    id = serializers.CharField()
    url = serializers.CharField()


class TopicEndpointsOutput(Output):
    topic = serializers.CharField()
    endpoints = TopicEndpointOutput(many=True)


class TopicEndpointsViewSet(TenantViewSet):
    scopes = {"list": Scope.ENDPOINTS_READ, "update": Scope.ENDPOINTS_WRITE}

    @operation(
        "List topics with their endpoints",
        operation_id="cleeng_list_topic_endpoints",
        responses={200: TopicEndpointsOutput(many=True)},
        problems=[404],
        tag="Cleeng",
        description="Topics that have endpoints, in the order of the catalogue. Only for "
        "broadcasters on the cleeng platform.",
    )
    def list(self, request: Request) -> Response:
        self._check_platform()
        return Response(
            [
                {"topic": topic.name, "endpoints": [_represent(item) for item in endpoints]}
                for topic, endpoints in list_topic_endpoints(self.broadcaster)
            ]
        )

    @operation(
        "Set a topic's endpoints",
        operation_id="cleeng_set_topic_endpoints",
        responses={200: TopicEndpointOutput(many=True)},
        problems=[404, 409],
        body=TopicEndpointInput(many=True),
        tag="Cleeng",
        description="Exactly these, in one transaction: endpoints that are not in the list lose "
        "the topic, and are deleted when it was their last; new URLs become endpoints.",
    )
    def update(self, request: Request, topic: str) -> Response:
        self._check_platform()
        found = topic_or_404(self, topic)
        given = TopicEndpointInput(data=request.data, many=True)
        given.is_valid(raise_exception=True)
        urls = [item["url"] for item in given.validated_data]
        endpoints = set_topic_endpoints(
            broadcaster=self.broadcaster, topic=found, urls=urls, actor=self.actor
        )
        return Response([_represent(endpoint) for endpoint in endpoints])

    def _check_platform(self) -> None:
        """Raise NotFound for broadcasters on other platforms."""
        if self.broadcaster.platform_id != PLATFORM:
            raise NotFound(
                f"{self.broadcaster.name} is not on the cleeng platform: use /api/v1/endpoints.",
                code="not_on_this_platform",
            )


def _represent(endpoint: Any) -> dict[str, str]:
    return {"id": endpoint.public_id, "url": endpoint.url}
