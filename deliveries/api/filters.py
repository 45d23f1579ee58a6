"""What the lists of events, deliveries and attempts can be narrowed down to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from deliveries.models import Attempt, Delivery, DeliveryStatus, Event, Outcome
from subscriptions.api.documented import parameter, time_parameter
from subscriptions.api.query import Query
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.public_ids import public_to_uuid

TIMES = ("created_after", "created_before")
EVENT_FILTERS = ("topic", "q", *TIMES)
DELIVERY_FILTERS = ("endpoint", "event", "topic", "status", "failure", "test", "q", *TIMES)
ATTEMPT_FILTERS = (*DELIVERY_FILTERS, "outcome", "status_code")

_SEARCH = parameter("q", "A part of an id or of the payload.")
_TOPIC = parameter("topic", "The topic's name.")
_BETWEEN = (
    time_parameter("created_after", "Later than this."),
    time_parameter("created_before", "Earlier than this."),
)
EVENT_PARAMETERS = (_TOPIC, *_BETWEEN, _SEARCH)
DELIVERY_PARAMETERS = (
    parameter("endpoint", "The endpoint's id."),
    parameter("event", "The event's id."),
    _TOPIC,
    parameter("status", "State of the delivery.", enum=DeliveryStatus.values),
    parameter("failure", "Class of the failure."),
    parameter("test", "Tests only, or none.", bool),
    *_BETWEEN,
    _SEARCH,
)
ATTEMPT_PARAMETERS = (
    *DELIVERY_PARAMETERS,
    parameter("outcome", "Outcome of the attempt.", enum=Outcome.values),
    parameter("status_code", "What the endpoint answered.", int),
)

# Ids hold the time at which a row was made, some moments after the time that its columns say.
_ID_MARGIN = timedelta(hours=1)
Rows = TypeVar("Rows", bound="QuerySet[Any]")


def filtered_events(broadcaster: Broadcaster, query: Query) -> QuerySet[Event]:
    rows = Event.objects.for_broadcaster(broadcaster)
    if topic := query.text("topic"):
        rows = rows.filter(topic=topic)
    if search := query.search():
        rows = rows.filter(Q(event_id__icontains=search) | Q(body__icontains=search))
    return _between(rows, query, "created_at")


def filtered_deliveries(broadcaster: Broadcaster, query: Query) -> QuerySet[Delivery]:
    rows = Delivery.objects.for_broadcaster(broadcaster)
    if status := query.choice("status", DeliveryStatus.values):
        rows = rows.filter(status=status)
    if event := query.text("event"):
        rows = rows.filter(event_id__in=_event_pk(broadcaster, event))
    if search := query.search():
        rows = rows.filter(_search(search, "dlv", "event"))
    return _between(_narrowed(rows, broadcaster, query), query, "created_at")


def filtered_attempts(broadcaster: Broadcaster, query: Query) -> QuerySet[Attempt]:
    """The times are those at which the requests were sent, the status is the delivery's."""
    rows = Attempt.objects.for_broadcaster(broadcaster)
    if status := query.choice("status", DeliveryStatus.values):
        rows = rows.filter(delivery__status=status)
    if event := query.text("event"):
        of_event = Delivery.objects.filter(event_id__in=_event_pk(broadcaster, event))
        rows = rows.filter(delivery_id__in=of_event.values("pk"))
    if outcome := query.choice("outcome", Outcome.values):
        rows = rows.filter(outcome=outcome)
    if status_code := query.number("status_code", 100, 999):
        rows = rows.filter(status_code=status_code)
    if search := query.search():
        delivery = public_to_uuid("dlv", search)
        found = Q(delivery_id=delivery) if delivery else _search(search, "att", "delivery__event")
        rows = rows.filter(found)
    return _between(_narrowed(rows, broadcaster, query), query, "sent_at")


def _narrowed(rows: Rows, broadcaster: Broadcaster, query: Query) -> Rows:
    """By what deliveries and attempts have in common."""
    if endpoint := query.text("endpoint"):
        # A deleted endpoint's log stays readable.
        found = Endpoint.objects.filter(broadcaster=broadcaster, public_id=endpoint)
        rows = rows.filter(endpoint_id__in=list(found.values_list("pk", flat=True)))
    if topic := query.text("topic"):
        rows = rows.filter(topic=topic)
    if failure := query.text("failure"):
        rows = rows.filter(failure=failure)
    if (test := query.flag("test")) is not None:
        rows = rows.filter(test=test)
    return rows


def _event_pk(broadcaster: Broadcaster, event_id: str) -> list[UUID]:
    rows = Event.objects.for_broadcaster(broadcaster).filter(event_id=event_id)
    return list(rows.values_list("pk", flat=True))


def _search(text: str, prefix: str, event: str) -> Q:
    """A whole id of one's own is looked up; else a part of the event's id or body is searched for,
    or the endpoint's whole id."""
    if (key := public_to_uuid(prefix, text)) is not None:
        return Q(pk=key)
    return (
        Q(endpoint__public_id=text)
        | Q(**{f"{event}__event_id__icontains": text})
        | Q(**{f"{event}__body__icontains": text})
    )


def _between(rows: Rows, query: Query, column: str) -> Rows:
    """Bounds on the id as well: the index that pages are read from ends there."""
    after, before = query.time("created_after"), query.time("created_before")
    if after:
        rows = rows.filter(**{f"{column}__gt": after})
        if (first := _first_id(after, -_ID_MARGIN)) is not None:
            rows = rows.filter(pk__gte=first)
    if before:
        rows = rows.filter(**{f"{column}__lt": before})
        if (last := _first_id(before, _ID_MARGIN)) is not None:
            rows = rows.filter(pk__lte=last)
    return rows


def _first_id(moment: datetime, margin: timedelta) -> UUID | None:
    """The least version 7 UUID of a time; None where none has it."""
    try:
        milliseconds = int((moment + margin).timestamp() * 1000)
    except OverflowError:
        return None
    return UUID(int=milliseconds << 80) if 0 <= milliseconds < 1 << 48 else None
