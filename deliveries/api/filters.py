"""What the lists of events, deliveries and attempts can be narrowed down to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import BigIntegerField, Model, Q, QuerySet
from django.db.models.functions import Cast

from deliveries.event_log.pages import COMPARED_ROWS, SEARCHED_ROWS
from deliveries.models import Attempt, Delivery, DeliveryStatus, Event, Outcome
from subscriptions.identifiers import public_to_uuid
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.rest.openapi import parameter, time_parameter
from subscriptions.rest.pagination import CursorPage, page_of
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

LOOKED_THROUGH = (
    "A request looks through a bounded number of rows: with a search or several filters, a page "
    "can have few rows or none and still a `next_cursor`, which goes on from there."
)

# Ids hold the time at which a row was made, some moments after the time that its columns say.
_ID_MARGIN = timedelta(hours=1)
M = TypeVar("M", bound=Model)
Rows = TypeVar("Rows", bound="QuerySet[Any]")


@dataclass(frozen=True, slots=True)
class Narrowed(Generic[M]):
    """`rows` are in the order of an index; `loose` is what no index serves."""

    rows: QuerySet[M]
    loose: Q | None
    most: int

    def page(self, query: Query) -> CursorPage[M]:
        return page_of(self.rows, query, unindexed=self.loose, scan_limit=self.most)

    def change(self, rows: QuerySet[M]) -> Narrowed[M]:
        """The same with what is loaded beside the rows."""
        return replace(self, rows=rows)


def _narrowed(rows: QuerySet[M], loose: list[Q], *, is_dear: bool) -> Narrowed[M]:
    """`is_dear`: what is loose is looked for in texts or other tables."""
    return Narrowed(rows, Q(*loose) if loose else None, SEARCHED_ROWS if is_dear else COMPARED_ROWS)


def filtered_events(broadcaster: Broadcaster, query: Query) -> Narrowed[Event]:
    rows: QuerySet[Event] = Event.objects.for_broadcaster(broadcaster)
    if topic := query.text("topic"):
        rows = rows.filter(topic=topic)
    rows, loose = _between(rows, query, "created_at")
    if search := query.search():
        loose.append(Q(event_id__icontains=search) | Q(body__icontains=search))
    return _narrowed(rows, loose, is_dear=search is not None)


def filtered_deliveries(broadcaster: Broadcaster, query: Query) -> Narrowed[Delivery]:
    rows = Delivery.objects.for_broadcaster(broadcaster)
    rows, loose = _between(rows, query, "created_at")
    endpoints = _endpoint_pk(broadcaster, query)
    status = query.choice("status", DeliveryStatus.values)
    # One index serves; of an endpoint and a status the one that leaves less, as most arrive.
    if status and (endpoints is None or status != DeliveryStatus.DELIVERED):
        # The cast keeps SQLite, which has no statistics, from the endpoint's index instead.
        rows = rows.in_state(status)
        if endpoints is not None:
            rows = rows.alias(endpoint_key=Cast("endpoint_id", BigIntegerField()))
            loose.append(Q(endpoint_key__in=endpoints))
    else:
        rows = rows if endpoints is None else rows.filter(endpoint_id__in=endpoints)
        loose += [Q(status=status)] if status else []
    if event := query.text("event"):
        rows = rows.of_events(_event_pk(broadcaster, event))
    search = query.search()
    if search and (key := public_to_uuid("dlv", search)) is not None:
        rows = rows.filter(pk=key)
    elif search:
        loose.append(_search(search, "event"))
    loose += _compared(query)
    return _narrowed(rows, loose, is_dear=search is not None)


def filtered_attempts(broadcaster: Broadcaster, query: Query) -> Narrowed[Attempt]:
    """The times are those at which the requests were sent, the status is the delivery's."""
    rows = Attempt.objects.for_broadcaster(broadcaster)
    rows, loose = _between(rows, query, "sent_at")
    if (endpoints := _endpoint_pk(broadcaster, query)) is not None:
        rows = rows.filter(endpoint_id__in=endpoints)
    if event := query.text("event"):
        of_event = Delivery.objects.filter(event_id__in=_event_pk(broadcaster, event))
        rows = rows.of_deliveries(of_event.values_list("pk", flat=True))
    if status := query.choice("status", DeliveryStatus.values):
        loose.append(Q(delivery__status=status))
    if outcome := query.choice("outcome", Outcome.values):
        loose.append(Q(outcome=outcome))
    if status_code := query.number("status_code", 100, 999):
        loose.append(Q(status_code=status_code))
    search = query.search()
    if search and (key := public_to_uuid("dlv", search)) is not None:
        rows = rows.of_deliveries([key])
    elif search and (key := public_to_uuid("att", search)) is not None:
        rows = rows.filter(pk=key)
    elif search:
        loose.append(_search(search, "delivery__event"))
    loose += _compared(query)
    return _narrowed(rows, loose, is_dear=search is not None or status is not None)


def _endpoint_pk(broadcaster: Broadcaster, query: Query) -> list[int] | None:
    """Of the one asked for: a deleted endpoint's log stays readable. None where none is."""
    public_id = query.text("endpoint")
    if public_id is None:
        return None
    found = Endpoint.objects.filter(broadcaster=broadcaster, public_id=public_id)
    return list(found.values_list("pk", flat=True))


def _compared(query: Query) -> Iterator[Q]:
    """What deliveries and attempts have in common."""
    if topic := query.text("topic"):
        yield Q(topic=topic)
    if failure := query.text("failure"):
        yield Q(failure=failure)
    if (test := query.flag("test")) is not None:
        yield Q(test=test)


def _event_pk(broadcaster: Broadcaster, event_id: str) -> list[UUID]:
    rows = Event.objects.for_broadcaster(broadcaster).filter(event_id=event_id)
    return list(rows.values_list("pk", flat=True))


def _search(text: str, event: str) -> Q:
    """A part of the event's id or body is searched for, or the endpoint's whole id."""
    return (
        Q(endpoint__public_id=text)
        | Q(**{f"{event}__event_id__icontains": text})
        | Q(**{f"{event}__body__icontains": text})
    )


def _between(rows: Rows, query: Query, column: str) -> tuple[Rows, list[Q]]:
    """Bounds on the id, where the index that pages are read from ends, and on the time itself."""
    loose: list[Q] = []
    after, before = query.time("created_after"), query.time("created_before")
    if after:
        loose.append(Q(**{f"{column}__gt": after}))
        if (first := _first_id(after, -_ID_MARGIN)) is not None:
            rows = rows.filter(pk__gte=first)
    if before:
        loose.append(Q(**{f"{column}__lt": before}))
        if (last := _first_id(before, _ID_MARGIN)) is not None:
            rows = rows.filter(pk__lte=last)
    return rows, loose


def _first_id(moment: datetime, margin: timedelta) -> UUID | None:
    """The least version 7 UUID of a time; None where none has it."""
    try:
        milliseconds = int((moment + margin).timestamp() * 1000)
    except OverflowError:
        return None
    return UUID(int=milliseconds << 80) if 0 <= milliseconds < 1 << 48 else None
