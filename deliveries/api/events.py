"""Publishing and reading events."""

from __future__ import annotations

from django.db.models import Prefetch
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.api.bodies import (
    BatchInput,
    DeliveryOutput,
    EventInput,
    EventOutput,
    FullEventOutput,
    PublishedBatchOutput,
    PublishedOutput,
    event_row,
    published_row,
)
from deliveries.api.event_input import read_batch, read_event, read_key
from deliveries.api.filters import (
    EVENT_FILTERS,
    EVENT_PARAMETERS,
    SCAN_LIMIT_NOTE,
    narrow_events,
)
from deliveries.api.parsers import EventParser
from deliveries.models import Delivery
from deliveries.publishing import publish, publish_batch, within_rate
from subscriptions.models import Scope
from subscriptions.rest.openapi import PAGE_PARAMETERS, operation, page_output, parameter
from subscriptions.rest.pagination import PAGE_QUERY, page_of
from subscriptions.rest.viewsets import TenantViewSet, not_found

TAG = "Events"
MAX_BATCH_BYTES = 8 * 1024 * 1024
KEY_PARAMETER = parameter(
    "Idempotency-Key", "For clients that do not choose ids.", location="header"
)


class EventViewSet(TenantViewSet):
    parser_classes = [EventParser]
    scopes = {
        "list": Scope.EVENTS_READ,
        "retrieve": Scope.EVENTS_READ,
        "create": Scope.EVENTS_WRITE,
    }
    queries = {"list": (*PAGE_QUERY, *EVENT_FILTERS)}

    @operation(
        "Publish an event",
        operation_id="events_publish",
        responses={202: PublishedOutput, 200: PublishedOutput},
        problems=[409],
        body=EventInput,
        parameters=[KEY_PARAMETER],
        tag=TAG,
        description="202: stored, with a delivery for each endpoint that wants the topic. 200: an "
        "event with this id (or Idempotency-Key), topic and data was stored before, and nothing "
        "is sent again. 409: the id was used for other content. 429: the broadcaster's publish rate is used "
        "up; nothing was stored, and Retry-After says when to send again. At most 256 KiB.",
    )
    def create(self, request: Request) -> Response:
        key = read_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        event = read_event(request.data, key=key)
        with within_rate(self.broadcaster, 1):
            result = publish(
                broadcaster=self.broadcaster,
                topic=event.topic,
                data=event.data,
                event_id=event.event_id,
                occurred_at=event.occurred_at,
                idempotency_key=event.idempotency_key,
            )
        return Response(published_row(result), status=200 if result.duplicate else 202)

    @operation(
        "List events",
        responses={200: page_output(EventOutput)},
        parameters=[*PAGE_PARAMETERS, *EVENT_PARAMETERS],
        tag=TAG,
        description=f"Newest first. {SCAN_LIMIT_NOTE}",
    )
    def list(self, request: Request) -> Response:
        narrowed = narrow_events(self.broadcaster, self.query)
        page = page_of(narrowed.with_rows(narrowed.rows.defer("body")), self.query)
        return Response(page.body(event_row))

    @operation(
        "Read an event",
        responses={200: FullEventOutput},
        problems=[404],
        tag=TAG,
        description="With its data, its body as it is sent, and its deliveries.",
    )
    def retrieve(self, request: Request, event_id: str) -> Response:
        deliveries = Prefetch("deliveries", Delivery.objects.select_related("endpoint", "event"))
        event = (
            self.broadcaster.events.filter(event_id=event_id).prefetch_related(deliveries).first()
        )
        if event is None:
            raise not_found("event", event_id)
        return Response(
            {
                **event_row(event),
                "data": event.data,
                "body": event.body,
                "deliveries": DeliveryOutput(event.deliveries.all(), many=True).data,
            }
        )


class EventBatchViewSet(TenantViewSet):
    parser_classes = [EventParser]
    max_body_bytes = MAX_BATCH_BYTES
    scopes = {"create": Scope.EVENTS_WRITE}

    @operation(
        "Publish a batch",
        operation_id="events_publish_batch",
        responses={202: PublishedBatchOutput},
        problems=[409],
        body=BatchInput,
        parameters=[KEY_PARAMETER],
        tag=TAG,
        description="1 to 1,000 events, stored all or none; one result for each, in order. A bad "
        "one is named by its index in a 422. Each event counts towards the publish rate: a batch is "
        "let in whole, and what comes after it gets 429 until it is made up for. At most 8 MiB, and "
        "256 KiB for each event.",
    )
    def create(self, request: Request) -> Response:
        key = read_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        events = read_batch(request.data, key=key)
        with within_rate(self.broadcaster, len(events)):
            results = publish_batch(broadcaster=self.broadcaster, events=events)
        return Response({"data": [published_row(result) for result in results]}, status=202)
