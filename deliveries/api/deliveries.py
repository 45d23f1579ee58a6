"""Deliveries and their attempts."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.api.bodies import (
    AttemptOutput,
    DeliveryOutput,
    FullDeliveryOutput,
    attempt_row,
    delivery_row,
)
from deliveries.api.filters import (
    ATTEMPT_FILTERS,
    ATTEMPT_PARAMETERS,
    DELIVERY_FILTERS,
    DELIVERY_PARAMETERS,
    SCAN_LIMIT_NOTE,
    narrow_attempts,
    narrow_deliveries,
)
from deliveries.models import Delivery
from deliveries.recovery import cancel, resend
from subscriptions.identifiers import public_to_uuid
from subscriptions.models import Scope
from subscriptions.rest.openapi import PAGE_PARAMETERS, operation, page_output
from subscriptions.rest.pagination import PAGE_QUERY, page_of
from subscriptions.rest.viewsets import TenantViewSet, not_found

TAG = "Deliveries"


class DeliveryViewSet(TenantViewSet):
    scopes = {
        "list": Scope.EVENTS_READ,
        "retrieve": Scope.EVENTS_READ,
        "resend": Scope.ENDPOINTS_WRITE,
        "cancel": Scope.ENDPOINTS_WRITE,
    }
    queries = {"list": (*PAGE_QUERY, *DELIVERY_FILTERS)}

    def _get(self, delivery_id: str) -> Delivery:
        key = public_to_uuid("dlv", delivery_id)
        rows = self.broadcaster.deliveries.select_related("event", "endpoint")
        delivery = rows.filter(pk=key).first() if key else None
        if delivery is None:
            raise not_found("delivery", delivery_id)
        return delivery

    @operation(
        "List deliveries",
        responses={200: page_output(DeliveryOutput)},
        parameters=[*PAGE_PARAMETERS, *DELIVERY_PARAMETERS],
        tag=TAG,
        description=f"Newest first. {SCAN_LIMIT_NOTE}",
    )
    def list(self, request: Request) -> Response:
        narrowed = narrow_deliveries(self.broadcaster, self.query)
        rows = narrowed.rows.select_related("event", "endpoint").defer("event__body")
        return Response(page_of(narrowed.with_rows(rows), self.query).body(delivery_row))

    @operation(
        "Read a delivery",
        responses={200: FullDeliveryOutput},
        problems=[404],
        tag=TAG,
        description="With its attempts, the first one first.",
    )
    def retrieve(self, request: Request, delivery_id: str) -> Response:
        delivery = self._get(delivery_id)
        endpoint, rules = delivery.endpoint, self.broadcaster.rules
        attempts = delivery.attempts.order_by("number", "pk")
        rows = [attempt_row(attempt, endpoint, rules) for attempt in attempts]
        return Response({**delivery_row(delivery), "attempts": rows})

    @operation(
        "Send a delivery again",
        operation_id="deliveries_resend",
        responses={202: DeliveryOutput},
        problems=[404, 409],
        tag=TAG,
        description="One attempt now; a planned retry stays planned. 409 while an attempt is "
        "under way, and for a deleted endpoint.",
    )
    def resend(self, request: Request, delivery_id: str) -> Response:
        delivery = self._get(delivery_id)
        self.refuse_body()
        resend(delivery=delivery, actor=self.actor)
        return Response(delivery_row(delivery), status=202)

    @operation(
        "Cancel a delivery",
        operation_id="deliveries_cancel",
        responses={200: DeliveryOutput},
        problems=[404, 409],
        tag=TAG,
        description="No more attempts are made. 409 for a delivery that has come to an end.",
    )
    def cancel(self, request: Request, delivery_id: str) -> Response:
        delivery = self._get(delivery_id)
        self.refuse_body()
        cancel(delivery=delivery, actor=self.actor)
        return Response(delivery_row(delivery))


class AttemptViewSet(TenantViewSet):
    scopes = {"list": Scope.EVENTS_READ}
    queries = {"list": (*PAGE_QUERY, *ATTEMPT_FILTERS)}

    @operation(
        "List attempts",
        responses={200: page_output(AttemptOutput)},
        parameters=[*PAGE_PARAMETERS, *ATTEMPT_PARAMETERS],
        tag=TAG,
        description=f"The event log, flat, newest first. {SCAN_LIMIT_NOTE}",
    )
    def list(self, request: Request) -> Response:
        narrowed = narrow_attempts(self.broadcaster, self.query)
        rows = narrowed.rows.select_related("delivery__event", "endpoint")
        page = page_of(narrowed.with_rows(rows), self.query)
        rules = self.broadcaster.rules
        return Response(page.body(lambda attempt: attempt_row(attempt, attempt.endpoint, rules)))
