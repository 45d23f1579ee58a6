"""The filters of the lists of events, deliveries and attempts, as query parameters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from deliveries.models import Attempt, Delivery, DeliveryStatus, Event, Outcome
from subscriptions.identifiers import first_uuid7, public_to_uuid
from subscriptions.models import Broadcaster
from subscriptions.paging import Narrowed
from subscriptions.rest.openapi import parameter, time_parameter
from subscriptions.rest.query import Query

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

SCAN_LIMIT_NOTE = (
    "A request looks through a bounded number of rows: with a search or several filters, a page "
    "can have few rows or none and still a `next_cursor`, which goes on from there."
)

# An id holds the time at which its row was made, some moments after the time in its columns.
_ID_MARGIN = timedelta(hours=1)
Rows = TypeVar("Rows", bound="QuerySet[Any]")


def narrow_events(broadcaster: Broadcaster, query: Query) -> Narrowed[Event]:
    rows: QuerySet[Event] = broadcaster.events.all()
    if topic := query.text("topic"):
        rows = rows.filter(topic=topic)
    rows, times = _between(rows, query, "created_at")
    unindexed = Q(**times)
    search = query.search()
    if search:
        unindexed &= Q(event_id__icontains=search) | Q(body__icontains=search)
    return Narrowed(rows, unindexed, scans_text=search is not None)


def narrow_deliveries(broadcaster: Broadcaster, query: Query) -> Narrowed[Delivery]:
    rows, times = _between(broadcaster.deliveries.all(), query, "created_at")
    event = query.text("event")
    return rows.narrowed(
        endpoints=_endpoint_keys(broadcaster, query),
        status=query.choice("status", DeliveryStatus.values),
        events=_event_keys(broadcaster, event) if event else None,
        search=query.search(),
        **times,
        **_compared_columns(query),
    )


def narrow_attempts(broadcaster: Broadcaster, query: Query) -> Narrowed[Attempt]:
    """The times are those at which attempts were sent; the status is the delivery's."""
    rows, compared = _between(broadcaster.attempts.all(), query, "sent_at")
    if (endpoints := _endpoint_keys(broadcaster, query)) is not None:
        rows = rows.filter(endpoint_id__in=endpoints)
    if event := query.text("event"):
        deliveries = Delivery.objects.filter(event_id__in=_event_keys(broadcaster, event))
        rows = rows.of_deliveries(deliveries.values_list("pk", flat=True))
    if status := query.choice("status", DeliveryStatus.values):
        compared["delivery__status"] = status
    if outcome := query.choice("outcome", Outcome.values):
        compared["outcome"] = outcome
    if status_code := query.number("status_code", 100, 999):
        compared["status_code"] = status_code
    search, found = query.search(), Q()
    if search and (key := public_to_uuid("dlv", search)) is not None:
        rows = rows.of_deliveries([key])
    elif search and (key := public_to_uuid("att", search)) is not None:
        rows = rows.filter(pk=key)
    elif search:
        found = (
            Q(endpoint__public_id=search)
            | Q(delivery__event__event_id__icontains=search)
            | Q(delivery__event__body__icontains=search)
        )
    unindexed = Q(**compared, **_compared_columns(query)) & found
    return Narrowed(rows, unindexed, scans_text=bool(search or status))


def _endpoint_keys(broadcaster: Broadcaster, query: Query) -> list[int] | None:
    """The key of the endpoint asked for, deleted or not: its log stays readable.

    None if the query names no endpoint; an empty list if there is none with that id.
    """
    public_id = query.text("endpoint")
    if public_id is None:
        return None
    found = broadcaster.endpoints.filter(public_id=public_id)
    return list(found.values_list("pk", flat=True))


def _event_keys(broadcaster: Broadcaster, event_id: str) -> list[UUID]:
    rows = broadcaster.events.filter(event_id=event_id)
    return list(rows.values_list("pk", flat=True))


def _compared_columns(query: Query) -> dict[str, Any]:
    """The look-ups that deliveries and attempts have in common."""
    given = {
        "topic": query.text("topic"),
        "failure": query.text("failure"),
        "test": query.flag("test"),
    }
    return {lookup: value for lookup, value in given.items() if value is not None}


def _between(rows: Rows, query: Query, column: str) -> tuple[Rows, dict[str, Any]]:
    """Rows with bounds on the id, where the index of pages ends, and look-ups of the exact time."""
    lookups: dict[str, Any] = {}
    after, before = query.time("created_after"), query.time("created_before")
    if after:
        lookups[f"{column}__gt"] = after
        if (first := _first_id(after, -_ID_MARGIN)) is not None:
            rows = rows.filter(pk__gte=first)
    if before:
        lookups[f"{column}__lt"] = before
        if (last := _first_id(before, _ID_MARGIN)) is not None:
            rows = rows.filter(pk__lte=last)
    return rows, lookups


def _first_id(moment: datetime, margin: timedelta) -> UUID | None:
    """The least id of a time; None if no id can have it."""
    try:
        return first_uuid7(moment + margin)
    except (OverflowError, ValueError):
        return None
