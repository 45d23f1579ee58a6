"""Test webhooks over the API."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.api.bodies import TestInput, TestOutput
from deliveries.api.event_input import read_test
from deliveries.api.parsers import EventParser
from deliveries.test_console import send_test
from subscriptions.models import Scope
from subscriptions.rest.openapi import operation
from subscriptions.rest.viewsets import TenantViewSet, not_found


class EndpointTestViewSet(TenantViewSet):
    parser_classes = [EventParser]
    scopes = {"create": Scope.ENDPOINTS_WRITE}

    @operation(
        "Send a test",
        operation_id="endpoints_test",
        responses={202: TestOutput},
        problems=[404, 409],
        body=TestInput,
        tag="Endpoints",
        description="One signed request, marked as a test, not retried, counted nowhere; works on "
        "an inactive endpoint too.",
    )
    def create(self, request: Request, endpoint_id: str) -> Response:
        endpoint = self.broadcaster.endpoints.live().filter(public_id=endpoint_id).first()
        if endpoint is None:
            raise not_found("endpoint", endpoint_id)
        topic, data = read_test(request.data)
        delivery = send_test(endpoint=endpoint, topic=topic, data=data, actor=self.actor)
        return Response(
            {"event_id": delivery.event.event_id, "delivery_id": delivery.public_id}, status=202
        )
