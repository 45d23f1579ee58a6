"""The database goes away while a pump is sending: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from deliveries import tasks
from deliveries.dispatch import dispatcher as dispatching
from deliveries.dispatch import leases as leasing
from deliveries.dispatch import settlement as settling
from deliveries.dispatch.lanes import LaneSearch
from deliveries.dispatch.leases import LeaseLost, PumpLease
from deliveries.dispatch.store import attempt_log, current_store, postgresql_copy
from deliveries.models import Attempt, Pump
from deliveries.workers import pump as pump_module
from subscriptions.models import Broadcaster
from tests.deliveries.sending import broadcaster_on, dispatch, endpoint_at, publish_one, pump
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broadcaster() -> Broadcaster:
    return broadcaster_on("cryptlex").broadcaster


def away(*_: Any, **__: Any) -> Any:
    raise OperationalError("the database is away")


def away_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    """The first call fails before anything is done; later ones are as ever."""
    works: Callable[..., Any] = getattr(where, name)
    calls: list[int] = []

    def fails_first(*given: Any, **named: Any) -> Any:
        calls.append(1)
        return away() if len(calls) == 1 else works(*given, **named)

    monkeypatch.setattr(where, name, fails_first)


def outcomes() -> list[str]:
    return list(Attempt.objects.order_by("number").values_list("outcome", flat=True))


def test_what_was_claimed_when_the_database_went_away_is_sent_by_the_same_run(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    away_once(monkeypatch, dispatching, "prepare")
    with pump() as dispatcher:
        dispatcher.run(until=time.monotonic() + 1.5)
        assert outcomes() == ["succeeded"]


def test_a_claim_that_is_committed_after_its_answer_was_lost_is_found_after_the_run(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    with pump() as dispatcher:
        away_once(monkeypatch, LaneSearch, "claim")
        assert not dispatcher._try(lambda: dispatcher._step(claiming=True))
        dispatcher._step(claiming=False)
        run_id = Pump.objects.get().pk
        assert current_store().claim(timezone.now(), lease_id=run_id, quotas={endpoint.pk: 1})

    # Its slot is free, and it keeps what it took until its lease runs out.
    dispatch()
    assert outcomes() == []
    Pump.objects.filter(pk=run_id, slot=None).update(lease_expires_at=timezone.now())
    dispatch()
    assert outcomes() == ["unknown", "succeeded"]
    assert len(receiver.requests) == 1
    dispatch()
    assert not Pump.objects.exists()


def test_the_end_of_a_run_waits_for_the_database(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    with pump() as dispatcher:
        dispatcher._step(claiming=True)
        away_once(monkeypatch, dispatching, "settle")
        dispatcher.finish(grace_seconds=5)
    assert outcomes() == ["succeeded"]


@pytest.mark.parametrize("step", ["queue_pump", "give_up_slot"])
def test_a_handover_that_the_database_does_not_take_loses_no_outcome(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    receiver.on("/hook", Reply(delay_seconds=1.0))
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    monkeypatch.setattr(pump_module, "BOX_SECONDS", 0.6)
    monkeypatch.setattr(pump_module, "_HANDOVER_SECONDS", 0.2)
    monkeypatch.setattr(pump_module if step == "queue_pump" else PumpLease, step, away)
    try:
        assert tasks.pump(1) == "sent 1"
    finally:
        pump_module._forget_transport()
    assert outcomes() == ["succeeded"]


def test_answers_are_read_while_the_database_is_away(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.on("/hook", Reply(delay_seconds=0.3))
    endpoint_at(receiver.url("/hook"), broadcaster, timeout_seconds=1)
    publish_one(broadcaster)
    with pump() as dispatcher:
        dispatcher._step(claiming=True)
        with monkeypatch.context() as outage:
            outage.setattr(PumpLease, "renew_if_due", away)
            dispatcher.run(until=time.monotonic() + 1.5)
    assert outcomes() == ["succeeded"]


def test_a_run_that_lost_its_lease_still_writes_what_nobody_has_recovered(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    monkeypatch.setattr(pump_module, "BOX_SECONDS", 30.0)
    settle = settling.settle

    def away_until_the_lease_is_lost(*given: Any, **named: Any) -> int:
        monkeypatch.setattr(dispatching, "settle", settle)
        Pump.objects.update(lease_expires_at=timezone.now())
        monkeypatch.setattr(PumpLease, "renew_if_due", lost)
        return int(away())

    def lost(*_: Any) -> None:
        raise LeaseLost

    monkeypatch.setattr(dispatching, "settle", away_until_the_lease_is_lost)
    tasks.pump(1)
    assert outcomes() == ["succeeded"]


def test_what_a_run_claimed_after_it_was_taken_for_dead_and_deleted_is_found(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.on("/hook", Reply(delay_seconds=5.0))
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    claim = LaneSearch.claim

    def claim_late(*given: Any, **named: Any) -> Any:
        Pump.objects.all().delete()
        return claim(*given, **named)

    with monkeypatch.context() as stall:
        stall.setattr(leasing, "RENEW_EVERY_SECONDS", 0.2)
        stall.setattr(LaneSearch, "claim", claim_late)
        assert tasks.pump(1) == "sent 0"

    receiver.on("/hook", Reply())
    dispatch()
    assert outcomes() == ["unknown", "succeeded"]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only on PostgreSQL")
def test_a_connection_cut_while_attempts_are_copied_counts_as_the_database_being_away(
    receiver: Receiver, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_at(receiver.url("/hook"), broadcaster)
    publish_one(broadcaster)
    row = attempt_log.binary_row

    def cut(*arguments: Any) -> Any:
        monkeypatch.setattr(postgresql_copy, "binary_row", row)
        options = connection.get_connection_params()
        wanted = {
            key: options[key]
            for key in ("dbname", "user", "host", "port", "password")
            if options.get(key)
        }
        assert connection.connection is not None
        pid = connection.connection.info.backend_pid
        with psycopg.connect(**wanted, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
        return row(*arguments)

    monkeypatch.setattr(postgresql_copy, "binary_row", cut)
    with pump() as dispatcher:
        dispatcher.run(until=time.monotonic() + 1.5)
    assert outcomes() == ["succeeded"]
