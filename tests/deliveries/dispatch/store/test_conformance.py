"""What `protocol.Store` promises, held by the store of the database that the tests run on.

The suite runs on SQLite and on PostgreSQL, so that each promise is checked for both stores.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from deliveries.dispatch.outcomes import record_not_sent, record_unknown
from deliveries.dispatch.store import Store, current_store
from deliveries.dispatch.store.postgresql import PostgreSQLStore
from deliveries.dispatch.store.records import (
    CLAIM_COLUMNS,
    Claim,
    HealthChange,
    HourKey,
    Settled,
)
from deliveries.dispatch.store.sqlite import SQLiteStore
from deliveries.dispatch.store.statements import COUNTERS, WINDOW
from deliveries.models import Delivery, EndpointHealth, EndpointHour, Event
from deliveries.publishing import NewEvent, make_event, publish_batch
from subscriptions.models import Broadcaster, Endpoint
from tests.deliveries.sending import broadcaster_on, endpoint_at

pytestmark = pytest.mark.django_db
LEASE = 77


@pytest.fixture
def store() -> Store:
    return current_store()


def queue(count: int = 1, name: str = "Acme", **settings: Any) -> Endpoint:
    """An endpoint of a new broadcaster, with so many deliveries due."""
    broadcaster = broadcaster_on("cryptlex", name).broadcaster
    endpoint = endpoint_at("https://customer.example/hook", broadcaster, **settings)
    events = [NewEvent("license.created", {"n": n}) for n in range(count)]
    publish_batch(broadcaster=broadcaster, events=events)
    return endpoint


def claim(store: Store, endpoint: Endpoint, quota: int, **options: Any) -> list[UUID]:
    rows = store.claim(timezone.now(), lease_id=LEASE, quotas={endpoint.pk: quota}, **options)
    return [row[0] for row in rows]


def claims() -> list[Claim]:
    found = Delivery.objects.select_related("endpoint__broadcaster__platform").order_by("pk")
    return [Claim.of(delivery) for delivery in found]


# --- The store itself -----------------------------------------------------------------------------


def test_the_store_is_that_of_the_database_and_chosen_once(store: Store) -> None:
    expected = {"postgresql": PostgreSQLStore, "sqlite": SQLiteStore}[connection.vendor]
    assert isinstance(store, expected)
    assert current_store() is store


@pytest.mark.one_database
def test_both_stores_have_all_methods_of_the_protocol() -> None:
    promised = {name for name in vars(Store) if not name.startswith("_")} | {"is_commit_expensive"}
    for kind in (PostgreSQLStore, SQLiteStore):
        assert promised == {name for name in vars(kind) if not name.startswith("_")}


# --- Lanes ----------------------------------------------------------------------------------------


def test_nothing_is_due_without_a_delivery_or_before_its_time(store: Store) -> None:
    now = timezone.now()
    assert not store.is_anything_due(now)
    queue()
    assert not store.is_anything_due(now - timedelta(hours=1))
    assert store.is_anything_due(timezone.now())
    Delivery.objects.update(lease_id=LEASE)
    assert not store.is_anything_due(timezone.now())


def test_the_oldest_lanes_come_by_endpoint_with_their_owner_and_count(store: Store) -> None:
    first, second = queue(2, "First", rate_limit=5), queue(3, "Second")
    Endpoint.objects.filter(pk=second.pk).update(suspended_at=timezone.now())
    Broadcaster.objects.filter(pk=second.broadcaster_id).update(paused=True)
    rows = store.oldest_lanes(timezone.now(), since=None, known=())
    assert rows == [
        (first.pk, first.broadcaster_id, 5, True, False, 2),
        (second.pk, second.broadcaster_id, None, False, True, 3),
    ]


def test_is_sendable_means_the_same_in_sql_and_in_the_orm(store: Store) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"active": False},
        {"suspended_at": timezone.now()},
        {"deleted_at": timezone.now()},
    ]
    for number, change in enumerate(changes):
        Endpoint.objects.filter(pk=queue(1, f"B{number}").pk).update(**change)
    rows = store.oldest_lanes(timezone.now(), since=None, known=())
    assert len(rows) == len(changes)
    sendable = set(Endpoint.objects.sendable().values_list("pk", flat=True))
    assert {row.endpoint_id for row in rows if row.is_sendable} == sendable


def test_the_oldest_lanes_count_no_further_than_the_window(store: Store) -> None:
    queue(WINDOW, "Busy")
    queue(1, "Quiet")
    rows = store.oldest_lanes(timezone.now(), since=None, known=())
    assert sum(row.due_count for row in rows) == WINDOW
    assert len(rows) == 1


def test_known_lanes_are_listed_without_being_counted_and_older_ones_left_out(store: Store) -> None:
    old, known = queue(1, "Old"), queue(1, "Known")
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    since = store.place(timezone.now() - timedelta(minutes=1))
    rows = store.oldest_lanes(timezone.now(), since=since, known=[known.pk])
    assert [(row.endpoint_id, row.due_count) for row in rows] == [(known.pk, 0)]
    rows = store.oldest_lanes(timezone.now(), since=None, known=[known.pk])
    assert [(row.endpoint_id, row.due_count) for row in rows] == [(old.pk, 1), (known.pk, 1)]


def test_the_next_lanes_go_on_after_an_endpoint_up_to_the_limit(store: Store) -> None:
    first, second, third = (queue(2, name) for name in ("First", "Second", "Third"))
    Broadcaster.objects.filter(pk=second.broadcaster_id).update(paused=True)

    def ids(**options: Any) -> list[int]:
        asked: dict[str, Any] = {"known": (), "limit": 10} | options
        rows = store.next_lanes(timezone.now(), **asked)
        return [row.endpoint_id for row in rows]

    assert ids(after=0) == [first.pk, third.pk]
    assert ids(after=0, limit=1) == [first.pk]
    assert ids(after=first.pk) == [third.pk]
    assert ids(after=third.pk) == []
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert ids(after=0) == []
    assert ids(after=0, known=[first.pk]) == [first.pk]


# --- Claims ---------------------------------------------------------------------------------------


def test_a_claim_takes_the_oldest_up_to_the_quota_and_nothing_twice(store: Store) -> None:
    endpoint = queue(5)
    keys = list(Delivery.objects.order_by("-pk").values_list("pk", flat=True))
    begin = timezone.now() - timedelta(minutes=1)
    for number, key in enumerate(keys):
        due_at = begin + timedelta(seconds=number)
        Delivery.objects.filter(pk=key).update(next_attempt_at=due_at)
    assert set(claim(store, endpoint, 2)) == set(keys[:2])
    assert set(claim(store, endpoint, 9)) == set(keys[2:])
    assert claim(store, endpoint, 9) == []
    assert set(Delivery.objects.values_list("lease_id", flat=True)) == {LEASE}


def test_a_claim_takes_only_what_is_due_pending_and_of_its_endpoints(store: Store) -> None:
    endpoint, other = queue(4), queue(1, "Other")
    later, ended, claimed, due = Delivery.objects.filter(endpoint=endpoint).order_by("pk")
    hour = timezone.now() + timedelta(hours=1)
    Delivery.objects.filter(pk=later.pk).update(next_attempt_at=hour)
    Delivery.objects.filter(pk=ended.pk).update(status="delivered")
    Delivery.objects.filter(pk=claimed.pk).update(lease_id=3)
    assert claim(store, endpoint, 9) == [due.pk]
    assert Delivery.objects.get(endpoint=other).lease_id is None


def test_claimed_rows_have_the_same_types_on_both_databases(store: Store) -> None:
    endpoint = queue()
    planned_at = datetime(2026, 11, 27, 12, 30, 1, 123456, tzinfo=UTC)
    Delivery.objects.update(planned_at=planned_at)
    (row,) = store.claim(timezone.now(), lease_id=LEASE, quotas={endpoint.pk: 1})
    values = dict(zip(CLAIM_COLUMNS, row, strict=False))
    delivery = Delivery.objects.get()
    assert len(row) == len(CLAIM_COLUMNS) + 1
    assert values.pop("event_id").replace("-", "") == delivery.event_id.hex
    assert values == {name: getattr(delivery, name) for name in values}
    assert values["planned_at"] == planned_at
    assert values["test"] is False


def test_places_sort_like_moments_and_begin_a_later_claim(store: Store) -> None:
    endpoint = queue(3)
    begin = timezone.now() - timedelta(minutes=1)
    keys = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    for number, key in enumerate(keys):
        due_at = begin + timedelta(seconds=number)
        Delivery.objects.filter(pk=key).update(next_attempt_at=due_at)
    rows = store.claim(timezone.now(), lease_id=LEASE, quotas={endpoint.pk: 3})
    places = {row[0]: row[-1] for row in rows}
    assert sorted(keys, key=places.__getitem__) == keys
    Delivery.objects.update(lease_id=None)
    assert set(claim(store, endpoint, 9, since={endpoint.pk: places[keys[1]]})) == set(keys[1:])
    Delivery.objects.update(lease_id=None)
    since = store.place(begin + timedelta(seconds=2))
    assert claim(store, endpoint, 9, since={endpoint.pk: since}) == [keys[2]]


def test_bodies_are_found_by_the_keys_of_a_claim(store: Store) -> None:
    endpoint = queue(2)
    rows = store.claim(timezone.now(), lease_id=LEASE, quotas={endpoint.pk: 2})
    keys = {row[CLAIM_COLUMNS.index("event_id")] for row in rows}
    events = Event.objects.values_list("event_id", "body")
    assert sorted(store.bodies(keys).values()) == sorted((pk, body.encode()) for pk, body in events)
    assert store.bodies(keys).keys() == keys


# --- Outcomes -------------------------------------------------------------------------------------


def test_only_deliveries_that_carry_the_lease_change(store: Store) -> None:
    endpoint = queue(3)
    claim(store, endpoint, 3)
    ours, lost, cancelled = claims()
    Delivery.objects.filter(pk=lost.delivery_id).update(lease_id=LEASE + 1)
    Delivery.objects.filter(pk=cancelled.delivery_id).update(status="cancelled")
    now = timezone.now()
    outcomes = [record_not_sent(each, now, reason="wrong_key") for each in (ours, lost, cancelled)]
    with transaction.atomic():
        found = store.update_deliveries(outcomes, lease_id=LEASE, now=now)
    assert set(found) == {ours.delivery_id, cancelled.delivery_id}
    states = Delivery.objects.in_bulk()
    changed, kept = states[ours.delivery_id], states[lost.delivery_id]
    assert (changed.status, changed.attempt_count, changed.lease_id) == ("pending", 1, None)
    assert (kept.attempt_count, kept.lease_id) == (0, LEASE + 1)
    stopped = states[cancelled.delivery_id]
    assert (stopped.status, stopped.next_attempt_at) == ("cancelled", None)


def test_deliveries_of_one_batch_go_to_different_states(store: Store) -> None:
    endpoint = queue(3)
    claim(store, endpoint, 3)
    now = timezone.now()
    cut_short, failed, given_up = claims()
    outcomes = [
        record_unknown(cut_short, now),
        record_not_sent(failed, now, reason="wrong_key"),
        record_not_sent(given_up, now, reason="wrong_key")._replace(
            status="failed", status_reason="Given up.", next_attempt_at=None
        ),
    ]
    with transaction.atomic():
        assert len(store.update_deliveries(outcomes, lease_id=LEASE, now=now)) == 3
    states = Delivery.objects.in_bulk()
    for settled in outcomes:
        delivery = states[settled.claim.delivery_id]
        assert delivery.status == settled.status
        assert delivery.status_reason == settled.status_reason
        assert delivery.next_attempt_at == settled.next_attempt_at
        assert delivery.failure == settled.attempt.failure
    assert states[given_up.delivery_id].completed_at == now
    assert states[failed.delivery_id].completed_at is None


def settled_states(store: Store, outcomes: list[Settled]) -> None:
    with transaction.atomic():
        store.update_deliveries(outcomes, lease_id=LEASE, now=timezone.now())


def test_an_outcome_is_written_once(store: Store) -> None:
    endpoint = queue()
    claim(store, endpoint, 1)
    (only,) = claims()
    outcome = record_unknown(only, timezone.now())
    settled_states(store, [outcome])
    before = Delivery.objects.values().get()
    settled_states(store, [outcome])
    assert Delivery.objects.values().get() == before


def test_counters_add_up_by_endpoint_hour_and_shard(store: Store) -> None:
    endpoint = queue()
    key = HourKey(endpoint.pk, endpoint.broadcaster_id, 494_000)
    counts = [*range(1, len(COUNTERS) + 1)]
    store.add_counts({key: counts, key._replace(hour=494_001): counts}, shard=1)
    store.add_counts({key: counts}, shard=1)
    store.add_counts({key: counts}, shard=2)
    rows = list(EndpointHour.objects.order_by("hour", "shard"))
    assert [row.hour.timestamp() / 3600 for row in rows] == [494_000, 494_000, 494_001]
    for row, times in zip(rows, (2, 1, 1), strict=True):
        assert [getattr(row, name) for name in COUNTERS] == [times * value for value in counts]


def test_health_keeps_the_last_of_each_and_counts_failures_in_a_row(store: Store) -> None:
    endpoint = queue()
    early, late = timezone.now() - timedelta(hours=1), timezone.now()
    failed = HealthChange(endpoint.pk, 2, None, early, "timeout", None)
    assert store.update_health([failed]) == {endpoint.pk: 2}
    assert store.update_health([failed._replace(last_failure_at=late)]) == {endpoint.pk: 4}
    recovered = HealthChange(endpoint.pk, 0, late, None, "", 200)
    assert store.update_health([recovered]) == {endpoint.pk: 0}
    health = EndpointHealth.objects.get()
    assert (health.last_success_at, health.last_failure_at) == (late, late)
    assert (health.last_failure, health.last_status_code) == ("timeout", 200)
    again = HealthChange(endpoint.pk, 1, early, late, "http_5xx", 503)
    assert store.update_health([again]) == {endpoint.pk: 1}


# --- Publishing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 20])
def test_rows_are_inserted_as_they_are(store: Store, count: int) -> None:
    broadcaster = broadcaster_on("cryptlex").broadcaster
    now = timezone.now()
    events = [
        make_event(
            broadcaster=broadcaster,
            new=NewEvent("license.created", {"umlaut": "ü", "n": n}),
            now=now,
        )
        for n in range(count)
    ]
    store.insert(events)
    stored = {event.pk: event for event in Event.objects.all()}
    assert stored.keys() == {event.pk for event in events}
    for event in events:
        for field in Event._meta.concrete_fields:
            assert getattr(stored[event.pk], field.attname) == getattr(event, field.attname)


def test_a_row_that_is_there_already_is_an_integrity_error(store: Store) -> None:
    queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        store.insert(list(Event.objects.all()))
    with pytest.raises(IntegrityError), transaction.atomic():
        store.insert(list(Event.objects.all()) * 6)


def test_the_session_plans_by_index_only_for_as_long_as_it_is_told(store: Store) -> None:
    queue()
    with store.planning_by_index():
        assert store.is_anything_due(timezone.now())
    store.analyze(Event, Delivery)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_seqscan")
            assert cursor.fetchone() == ("on",)
