"""Wake-ups: as few tasks as will do."""

from __future__ import annotations

from typing import Any

import pytest
from django_q.models import OrmQ

from deliveries.dispatch.leases import PumpLease
from deliveries.workers import wake

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _check_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "_CHECK_EVERY_SECONDS", 0.0)
    # An earlier test may have checked a moment ago.
    monkeypatch.setattr(wake, "_next_check_at", 0.0)


def test_a_publish_queues_the_pumps_that_are_missing(settings: Any) -> None:
    settings.WEBHOOKS_PUMPS = 2
    assert PumpLease.take(1) is not None
    wake._wake()
    assert OrmQ.objects.count() == 1


def test_while_no_worker_runs_wake_ups_do_not_pile_up(settings: Any) -> None:
    settings.WEBHOOKS_PUMPS = 2
    for _ in range(200):
        wake._wake()
    # Each of them would hold a worker up for as long as it waits for its slot.
    assert 2 <= OrmQ.objects.count() <= 10
