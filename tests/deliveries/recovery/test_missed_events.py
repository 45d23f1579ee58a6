"""What a webhook missed while it was off, counted and sent after all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deliveries.models import Delivery, Event
from deliveries.recovery import (
    cancel,
    count_cancelled_by_stopping,
    find_missed_events,
    missed_events,
    replay_missed_events,
)
from deliveries.test_console import send_test
from subscriptions.audit import COMMAND_LINE
from subscriptions.endpoints.status import resume_endpoint, set_endpoint_active, suspend_endpoint
from subscriptions.errors import Conflict
from subscriptions.models import AuditEntry, Endpoint
from tests.deliveries.views.pages import publish_event, set_state, url
from tests.portal_clients import HTMX, Portal


def switch(endpoint: Endpoint, active: bool) -> None:
    set_endpoint_active(endpoint=endpoint, active=active, actor=COMMAND_LINE)


def missed(endpoint: Endpoint) -> int:
    found = find_missed_events(endpoint)
    assert found is not None
    return found.count.number


def test_events_while_off_and_deliveries_cancelled_by_the_stop_were_missed(portal: Portal) -> None:
    endpoint = portal.add_endpoint(topics=["license.created"])
    delivered = publish_event(portal.live, n=1)
    Delivery.objects.filter(event=delivered).update(status="delivered")
    waiting = publish_event(portal.live, n=2)
    switch(endpoint, False)
    during = [publish_event(portal.live, n=3), publish_event(portal.live, n=4)]
    publish_event(portal.live, "license.renewed", n=5)
    publish_event(portal.sandbox, n=6)
    switch(endpoint, True)
    publish_event(portal.live, n=7)
    found = find_missed_events(endpoint)
    assert found is not None
    assert found.count.number == 3
    assert found.topics == [("license.created", 3)]
    assert [event.key for event in found.newest] == [during[1].pk, during[0].pk, waiting.pk]
    assert found.until is not None


def test_deliveries_that_a_person_stopped_and_tests_were_not_missed(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    stopped = Delivery.objects.get(event=publish_event(portal.live))
    cancel(delivery=stopped, actor=COMMAND_LINE)
    switch(endpoint, False)
    send_test(endpoint=endpoint, actor=COMMAND_LINE)
    switch(endpoint, True)
    assert missed(endpoint) == 0


def test_a_webhook_that_was_never_off_missed_nothing(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    publish_event(portal.live)
    assert find_missed_events(endpoint) is None
    assert replay_missed_events(endpoint=endpoint, actor=COMMAND_LINE) == 0


def test_a_webhook_added_switched_off_missed_every_event_since(portal: Portal) -> None:
    endpoint = portal.add_endpoint(active=False)
    publish_event(portal.live)
    assert missed(endpoint) == 1
    switch(endpoint, True)
    assert missed(endpoint) == 1


def test_a_replay_queues_each_once_oldest_first_with_the_usual_retries(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    switch(endpoint, False)
    events = [publish_event(portal.live, n=n) for n in range(3)]
    with pytest.raises(Conflict, match="switch it on first"):
        replay_missed_events(endpoint=endpoint, actor=COMMAND_LINE)
    switch(endpoint, True)
    assert replay_missed_events(endpoint=endpoint, actor=COMMAND_LINE) == 3
    assert replay_missed_events(endpoint=endpoint, actor=COMMAND_LINE) == 0
    queued = list(Delivery.objects.order_by("next_attempt_at"))
    assert [d.event_id for d in queued] == [event.pk for event in events]
    assert {(d.status, d.trigger, d.max_attempts) for d in queued} == {
        ("pending", "replay", portal.live.rules.max_requests)
    }
    assert all(d.next_attempt_at and d.next_attempt_at <= timezone.now() for d in queued)
    assert AuditEntry.objects.get(action="endpoint.replay_missed").after == {"deliveries": 3}


def test_deliveries_kept_while_suspended_start_anew(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    before = Delivery.objects.get(event=publish_event(portal.live))
    set_state(before, attempt_count=2, scheduled_count=2)
    suspend_endpoint(endpoint=endpoint, reason="it answered 410 Gone.", actor=COMMAND_LINE)
    publish_event(portal.live)
    assert missed(endpoint) == 2
    resume_endpoint(endpoint=endpoint, actor=COMMAND_LINE)
    assert replay_missed_events(endpoint=endpoint, actor=COMMAND_LINE) == 2
    assert {(d.status, d.scheduled_count) for d in Delivery.objects.all()} == {("pending", 0)}
    assert missed(endpoint) == 0


def test_counting_and_replaying_end_at_a_bound(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed_events, "MAX_REPLAYED_EVENTS", 2)
    endpoint = portal.add_endpoint()
    for n in range(3):
        publish_event(portal.live, n=n)
    assert count_cancelled_by_stopping([endpoint]).words == "2 or more"
    switch(endpoint, False)
    switch(endpoint, True)
    found = find_missed_events(endpoint)
    assert found is not None
    assert found.count.words == "2 or more"
    assert replay_missed_events(endpoint=endpoint, actor=COMMAND_LINE) == 2
    assert missed(endpoint) == 1


def test_switching_off_says_how_many_are_cancelled(portal: Portal) -> None:
    endpoint, other = portal.add_endpoint(), portal.add_endpoint(name="Other")
    for n in range(3):
        publish_event(portal.live, n=n)
    send_test(endpoint=endpoint, actor=COMMAND_LINE)
    client = portal.client("developer")
    one = client.get(portal.url("endpoint-set-active", endpoint.public_id)).content.decode()
    assert "3 pending deliveries are cancelled." in one
    form = {"action": "deactivate", "chosen": [endpoint.public_id, other.public_id]}
    both = client.post(portal.url("endpoint-several"), form).content.decode()
    assert "6 pending deliveries are cancelled." in both
    on = client.post(portal.url("endpoint-several"), form | {"action": "activate"}).content.decode()
    assert "Switch on 2 webhooks?" in on
    assert "cancelled" not in on


def on_again(portal: Portal, endpoint: Endpoint) -> Any:
    address = portal.url("endpoint-set-active", endpoint.public_id)
    return portal.client("developer").post(address, {"active": "1"}, follow=True)


def test_switching_on_lists_what_was_missed_and_replays_it(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    switch(endpoint, False)
    for n in range(2):
        publish_event(portal.live, n=n)
    client = portal.client("developer")
    page = on_again(portal, endpoint)
    assert page.redirect_chain[-1][0].startswith(url(portal, "endpoint-missed", endpoint.public_id))
    assert "Replay 2 missed" in page.content.decode()
    here = url(portal, "endpoint-missed", endpoint.public_id)
    done = client.post(here, follow=True).content.decode()
    assert "Queued: 2 deliveries to Mails." in done
    assert "2 deliveries to Mails wait to be sent or retried." in done
    assert "Nothing was missed" in done
    first = client.get(here, headers=HTMX)
    tagged = {**HTMX, "If-None-Match": first["ETag"]}
    assert client.get(here, headers=tagged).status_code == 304
    Delivery.objects.update(status="delivered")
    last = client.get(here, headers=tagged).content.decode()
    assert "No delivery to Mails waits." in last
    assert "hx-trigger" not in last


@pytest.mark.parametrize(("count", "words"), [(2, "Replay 2 missed"), (0, "It missed nothing.")])
@pytest.mark.parametrize("suspended", [False, True])
def test_switching_on_in_the_row_says_there_how_much_was_missed(
    portal: Portal, suspended: bool, count: int, words: str
) -> None:
    endpoint = portal.add_endpoint()
    if suspended:
        suspend_endpoint(endpoint=endpoint, reason="It answered 410 Gone.", actor=COMMAND_LINE)
    else:
        switch(endpoint, False)
    for n in range(count):
        publish_event(portal.live, n=n)
    if suspended:
        Delivery.objects.all().delete()
    verb = "endpoint-resume" if suspended else "endpoint-set-active"
    address = portal.url(verb, endpoint.public_id)
    client = portal.client("developer")
    answer = client.post(address, {"active": "1", "row": "1"}, headers=HTMX).content.decode()
    assert words in answer
    assert (url(portal, "endpoint-missed", endpoint.public_id) in answer) == bool(count)
    # It is said then, not at every look at the list.
    assert words not in client.get(portal.url("endpoint-list")).content.decode()


def test_the_page_of_missed_events_can_switch_the_webhook_on(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    here = url(portal, "endpoint-missed", endpoint.public_id)
    client = portal.client("developer")
    for verb in ("endpoint-set-active", "endpoint-resume"):
        if verb == "endpoint-resume":
            suspend_endpoint(endpoint=endpoint, reason="It answered 410 Gone.", actor=COMMAND_LINE)
        else:
            switch(endpoint, False)
        publish_event(portal.live, of=verb)
        assert (
            f'action="{portal.url(verb, endpoint.public_id)}"' in client.get(here).content.decode()
        )
        client.post(portal.url(verb, endpoint.public_id), {"active": "1"})
        endpoint.refresh_from_db()
        assert endpoint.is_sendable


def test_switching_on_goes_to_the_webhook_if_nothing_was_missed(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    switch(endpoint, False)
    page = on_again(portal, endpoint)
    assert page.redirect_chain[-1][0] == portal.url("endpoint-detail", endpoint.public_id)
    assert "Mails is active" in page.content.decode()


def test_the_page_of_missed_events_takes_few_queries(portal: Portal) -> None:
    endpoint = portal.add_endpoint(topics=["license.created"])
    switch(endpoint, False)
    for n in range(3):
        publish_event(portal.live, n=n)
    switch(endpoint, True)
    client = portal.client("developer")
    here = url(portal, "endpoint-missed", endpoint.public_id)
    client.get(here)
    with CaptureQueriesContext(connection) as queries:
        client.get(here)
    assert len(queries) <= 8, [query["sql"][:100] for query in queries]
    assert Event.objects.count() == 3


def test_switching_on_in_the_settings_leads_to_what_was_missed_too(portal: Portal) -> None:
    endpoint = portal.add_endpoint(active=False)
    publish_event(portal.live)
    form = {"name": "Mails", "url": endpoint.url, "which": "all", "active": "on"}
    edit = portal.url("endpoint-edit", endpoint.public_id)
    page = portal.client("developer").post(edit, form, follow=True).content.decode()
    assert "Replay 1 missed" in page
