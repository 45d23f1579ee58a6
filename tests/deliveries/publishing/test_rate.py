"""Publish rates: exact over processes, a 429 in words, and no query for a broadcaster without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from deliveries.models import Event, PublishRate
from deliveries.publishing.rate import pay
from subscriptions.accounts import CreatedBroadcaster
from subscriptions.errors import RateExceeded
from subscriptions.models import AuditEntry, Broadcaster
from tests.api_clients import Api, account
from tests.concurrency import run_concurrently
from tests.deliveries.sending import broadcaster_on
from tests.staff_clients import change_url, superuser

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVENT = {"topic": "purchase.completed", "data": {"n": 1}}
BAD = {"topic": "no.such.topic", "data": {}}


@pytest.fixture
def created(db: None) -> CreatedBroadcaster:
    return account("clawget")


def limit(created: CreatedBroadcaster, rate: int | None) -> Api:
    Broadcaster.objects.filter(pk=created.broadcaster.pk).update(publish_rate=rate)
    return Api(created.token)


def is_let_in(broadcaster: Broadcaster, count: int, rate: int, now: datetime) -> bool:
    try:
        pay(broadcaster, count, rate, now)
    except RateExceeded:
        return False
    return True


# The count


class AnyTraffic(TestCase):
    # No deadline: how long an example takes says what else the machine does.
    @settings(max_examples=30, deadline=None)
    @given(
        rate=st.integers(1, 50),
        requests=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 40)), max_size=25),
    )
    def test_no_stretch_of_time_has_more_than_the_rate_a_second_and_one_request(
        self, rate: int, requests: list[tuple[float, int]]
    ) -> None:
        broadcaster = broadcaster_on("clawget").broadcaster
        now, passed, taken = NOW, 0.0, 0
        for pause, count in requests:
            passed += pause
            now = NOW + timedelta(seconds=passed)
            if is_let_in(broadcaster, count, rate, now):
                assert taken <= rate * (passed + 1) + 1e-3
                taken += count


def test_time_makes_up_for_a_batch_and_a_clock_that_goes_back_gives_nothing(
    created: CreatedBroadcaster,
) -> None:
    broadcaster = created.broadcaster
    assert is_let_in(broadcaster, 50, 10, NOW)
    with pytest.raises(RateExceeded) as caught:
        pay(broadcaster, 1, 10, NOW)
    assert caught.value.retry_after_seconds == 4
    assert not is_let_in(broadcaster, 1, 10, NOW + timedelta(seconds=3.9))
    assert not is_let_in(broadcaster, 1, 10, NOW - timedelta(hours=1))
    assert is_let_in(broadcaster, 1, 10, NOW + timedelta(seconds=4))


@pytest.mark.django_db(transaction=True)
def test_processes_at_once_let_in_no_event_twice() -> None:
    broadcaster = broadcaster_on("clawget").broadcaster
    admitted = run_concurrently(4, lambda: [is_let_in(broadcaster, 1, 15, NOW) for _ in range(20)])
    assert [len(decisions) for decisions in admitted] == [20] * 4
    assert sum(map(sum, admitted)) == 16


# The API


def test_more_than_the_rate_is_a_429_that_stores_nothing(created: CreatedBroadcaster) -> None:
    api = limit(created, 1)
    answers = [api.post("events", EVENT) for _ in range(5)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[0] == 202 and statuses[-1] == 429
    refused = answers[-1]
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["code"] == "publish_rate_exceeded"
    assert "1 events a second" in refused.json()["detail"]
    assert Event.objects.count() == statuses.count(202)


def test_a_batch_counts_each_event_and_is_let_in_whole(created: CreatedBroadcaster) -> None:
    api = limit(created, 10)
    assert api.post("events/batch", {"events": [EVENT] * 60}).status_code == 202
    refused = api.post("events", EVENT)
    assert refused.status_code == 429 and 4 <= int(refused.headers["Retry-After"]) <= 5


def test_what_is_refused_for_its_content_is_paid_for(created: CreatedBroadcaster) -> None:
    api = limit(created, 10)
    bad = api.post("events/batch", {"events": [EVENT] * 59 + [BAD]})
    assert (bad.status_code, api.post("events", EVENT).status_code) == (422, 429)
    assert Event.objects.count() == 0


def test_broadcasters_do_not_share_a_rate_and_their_own_goes_before_the_servers(
    created: CreatedBroadcaster, settings: Any
) -> None:
    settings.WEBHOOKS_PUBLISH_RATE = 1
    batch = {"events": [EVENT] * 5}
    live, sandbox = Api(created.token), Api(created.sandbox_token)
    assert live.post("events/batch", batch).status_code == 202
    assert live.post("events", EVENT).status_code == 429
    assert sandbox.post("events", EVENT).status_code == 202
    unlimited = limit(account("clawget", "Other"), 0)
    assert {unlimited.post("events/batch", batch).status_code for _ in range(3)} == {202}


def test_a_limit_costs_one_statement_and_none_costs_nothing(created: CreatedBroadcaster) -> None:
    def statements(api: Api) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert api.post("events", EVENT).status_code == 202
        words = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
        return sum(not query["sql"].startswith(words) for query in captured)

    free = limit(created, None)
    statements(free)
    without = statements(free)
    assert not PublishRate.objects.exists()
    other = account("clawget", "Other")
    limited = limit(other, 1_000_000)
    statements(limited)
    assert statements(limited) == without + 1


def test_staff_give_a_broadcaster_its_rate_and_the_audit_log_says_so(
    created: CreatedBroadcaster,
) -> None:
    form = {"name": "Acme", "max_endpoints": "", "publish_rate": "25"}
    superuser().post(change_url("subscriptions_broadcaster", created.broadcaster.pk), form)
    assert Broadcaster.objects.get(pk=created.broadcaster.pk).publish_limit == 25
    entry = AuditEntry.objects.get(action="broadcaster.update")
    assert (entry.before, entry.after) == ({"publish_rate": None}, {"publish_rate": 25})
