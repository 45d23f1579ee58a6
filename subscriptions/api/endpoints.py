"""The API's resource of endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from subscriptions.api.endpoint_bodies import (
    EndpointInput,
    EndpointOutput,
    NewEndpointInput,
    NewEndpointOutput,
    drop_repeated_fields,
    parse_settings,
    restore_masked_values,
)
from subscriptions.endpoints.lifecycle import create_endpoint, delete_endpoint, update_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.endpoints.signing_tokens import DEFAULT_OVERLAP, rotate_token
from subscriptions.endpoints.status import resume_endpoint
from subscriptions.models import Endpoint, Scope
from subscriptions.models.endpoint import EndpointQuerySet
from subscriptions.paging import Narrowed
from subscriptions.rest.fields import Input, Output, Text, Time, WholeNumber
from subscriptions.rest.openapi import PAGE_PARAMETERS, operation, page_output
from subscriptions.rest.pagination import PAGE_QUERY, page_of
from subscriptions.rest.viewsets import TenantViewSet, not_found

TAG = "Endpoints"


class RotationInput(Input):
    overlap_seconds = WholeNumber(
        required=False, help_text="How long the old token stays good: 0 to 604800; 86400."
    )
    token = Text(required=False, max_length=500)


class RotationOutput(Output):
    token = serializers.CharField()
    previous_expires_at = Time(allow_null=True)


class EndpointViewSet(TenantViewSet):
    scopes = {
        "list": Scope.ENDPOINTS_READ,
        "retrieve": Scope.ENDPOINTS_READ,
        "create": Scope.ENDPOINTS_WRITE,
        "partial_update": Scope.ENDPOINTS_WRITE,
        "destroy": Scope.ENDPOINTS_WRITE,
        "rotate_token": Scope.ENDPOINTS_WRITE,
        "resume": Scope.ENDPOINTS_WRITE,
    }
    queries = {"list": PAGE_QUERY}

    def _rows(self) -> EndpointQuerySet:
        return self.broadcaster.endpoints.live()

    def _get(self, endpoint_id: str, *, lock: bool = False) -> Endpoint:
        rows = self._rows().select_for_update(of=("self",)) if lock else self._rows()
        endpoint = rows.filter(public_id=endpoint_id).first()
        if endpoint is None:
            raise not_found("endpoint", endpoint_id)
        return endpoint

    @operation(
        "List endpoints",
        responses={200: page_output(EndpointOutput)},
        parameters=PAGE_PARAMETERS,
        tag=TAG,
    )
    def list(self, request: Request) -> Response:
        page = page_of(Narrowed(self._rows().prefetch_related("topics")), self.query)
        return Response(page.body(represent))

    @operation(
        "Make an endpoint",
        responses={201: NewEndpointOutput},
        problems=[409],
        body=NewEndpointInput,
        tag=TAG,
        description="This answer alone carries the signing token. Over the platform's limit: 409 "
        "`endpoint_limit_reached`. A URL that cannot be sent to: 422 `url_not_allowed`.",
    )
    def create(self, request: Request) -> Response:
        given = NewEndpointInput(data=request.data)
        given.is_valid(raise_exception=True)
        created = create_endpoint(
            broadcaster=self.broadcaster,
            settings=parse_settings(given.validated_data),
            token=given.validated_data.get("token"),
            actor=self.actor,
        )
        return Response({**represent(created.endpoint), "token": created.token}, status=201)

    @operation("Read an endpoint", responses={200: EndpointOutput}, problems=[404], tag=TAG)
    def retrieve(self, request: Request, endpoint_id: str) -> Response:
        return Response(represent(self._get(endpoint_id)))

    @operation(
        "Change an endpoint",
        responses={200: EndpointOutput},
        problems=[404],
        body=EndpointInput(partial=True),
        tag=TAG,
        description="Fields that are left out stay as they are, and so does a header whose masked "
        "value is sent back. Switching it off cancels what is pending; switching it on lifts a "
        "suspension.",
    )
    def partial_update(self, request: Request, endpoint_id: str) -> Response:
        with transaction.atomic():
            endpoint = self._get(endpoint_id, lock=True)
            data = drop_repeated_fields(request.data, represent(endpoint))
            given = EndpointInput(data=data, partial=True)
            given.is_valid(raise_exception=True)
            changes: dict[str, Any] = dict(given.validated_data)
            if "headers" in changes:
                changes["headers"] = restore_masked_values(changes["headers"], endpoint)
            endpoint = update_endpoint(
                endpoint=endpoint,
                settings=EndpointSettings.from_endpoint(endpoint, **changes),
                actor=self.actor,
            )
        return Response(represent(endpoint))

    @operation(
        "Delete an endpoint",
        responses={204: None},
        problems=[404],
        tag=TAG,
        description="Nothing more is sent to it. Its deliveries stay readable.",
    )
    def destroy(self, request: Request, endpoint_id: str) -> Response:
        self.refuse_body()
        delete_endpoint(endpoint=self._get(endpoint_id), actor=self.actor)
        return Response(status=204)

    @operation(
        "Rotate the signing token",
        operation_id="endpoints_rotate_token",
        responses={200: RotationOutput},
        problems=[404, 409],
        body=RotationInput,
        tag=TAG,
        description="`overlap_seconds` of 0 ends the old token at once: for one that has leaked.",
    )
    def rotate_token(self, request: Request, endpoint_id: str) -> Response:
        endpoint = self._get(endpoint_id)
        given = RotationInput(data=request.data)
        given.is_valid(raise_exception=True)
        seconds = given.validated_data.get("overlap_seconds")
        rotated = rotate_token(
            endpoint=endpoint,
            overlap=DEFAULT_OVERLAP if seconds is None else timedelta(seconds=seconds),
            token=given.validated_data.get("token"),
            actor=self.actor,
        )
        return Response(RotationOutput(rotated).data)

    @operation(
        "Lift a suspension",
        operation_id="endpoints_resume",
        responses={200: EndpointOutput},
        problems=[404, 409],
        tag=TAG,
    )
    def resume(self, request: Request, endpoint_id: str) -> Response:
        endpoint = self._get(endpoint_id)
        self.refuse_body()
        resume_endpoint(endpoint=endpoint, actor=self.actor)
        return Response(represent(endpoint))


def represent(endpoint: Endpoint) -> dict[str, Any]:
    return dict(EndpointOutput(endpoint).data)
