"""Events: what was published, where it went, and where it did not."""

from __future__ import annotations

import pytest

from deliveries.event_log import pages
from deliveries.models import Delivery
from deliveries.publishing import publish
from tests.deliveries.views.pages import create_delivery, publish_event, set_state, url
from tests.portal_clients import Portal


def test_events_are_listed_newest_first_with_what_became_of_them(portal: Portal) -> None:
    first = publish_event(portal.live, key="a")
    portal.add_endpoint()
    delivery = create_delivery(portal.live, key="b")
    set_state(delivery, status="delivered")
    response = portal.client("viewer").get(url(portal, "event-list"))
    assert [(event.pk, outcomes) for event, outcomes in response.context["rows"]] == [
        (delivery.event_id, [("delivered", 1)]),
        (first.pk, []),
    ]
    assert "No webhook wanted it" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [("topic=license.created", 1), ("q=needle", 1), ("q=nope", 0), ("test=only", 0), ("", 2)],
)
def test_events_are_narrowed_down(portal: Portal, query: str, count: int) -> None:
    publish_event(portal.live, "license.created", key="needle")
    publish_event(portal.live, "license.renewed", key="b")
    publish_event(portal.foreign, "license.created", key="needle")
    response = portal.client("viewer").get(f"{url(portal, 'event-list')}?{query}")
    assert len(response.context["rows"]) == count


def test_pages_of_events_continue_where_the_previous_one_ended(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    made = [publish_event(portal.live, n=n).pk for n in range(3)][::-1]
    client = portal.client("viewer")
    first = client.get(url(portal, "event-list"))
    publish_event(portal.live, n=9)
    second = client.get(first.context["older_url"])
    listed = [[event.pk for event, _ in page.context["rows"]] for page in (first, second)]
    assert listed == [made[:2], made[2:]]


def test_an_event_of_another_broadcaster_with_the_same_id_is_not_shown(portal: Portal) -> None:
    publish(
        broadcaster=portal.foreign, topic="license.created", data={"of": "others"}, event_id="x"
    )
    assert portal.client("viewer").get(url(portal, "event-detail", "x")).status_code == 404
    publish(broadcaster=portal.live, topic="license.created", data={"of": "ours"}, event_id="x")
    text = portal.client("viewer").get(url(portal, "event-detail", "x")).content.decode()
    assert "ours" in text
    assert "others" not in text


def test_a_webhook_added_later_has_missed_the_event_and_gets_it_by_hand(portal: Portal) -> None:
    event = publish_event(portal.live)
    late = portal.add_endpoint(name="Late")
    portal.add_endpoint(name="Of other topics", topics=["license.renewed"])
    portal.add_endpoint(portal.foreign, name="Of others")
    client = portal.client("developer")
    page = client.get(url(portal, "event-detail", event.event_id))
    assert [endpoint.name for endpoint in page.context["missing"]] == ["Late"]
    address = url(portal, "event-resend", event.event_id)
    done = client.post(address, {"endpoint": late.public_id}, follow=True)
    assert "Queued: 1 attempt," in done.content.decode()
    delivery = Delivery.objects.get(event=event)
    assert (delivery.endpoint_id, delivery.status, delivery.max_attempts) == (late.pk, "pending", 6)
    assert done.context["missing"] == []


def test_an_inactive_webhook_that_missed_it_must_be_switched_on_first(portal: Portal) -> None:
    event = publish_event(portal.live)
    off = portal.add_endpoint(name="Off", active=False)
    response = portal.client("developer").post(
        url(portal, "event-resend", event.event_id), {"endpoint": off.public_id}, follow=True
    )
    assert "switch it on first" in response.content.decode()
    assert not Delivery.objects.exists()


def test_resending_to_all_reaches_who_got_it_and_who_missed_it(portal: Portal) -> None:
    first = portal.add_endpoint(name="First")
    delivery = set_state(create_delivery(portal.live), status="delivered", next_attempt_at=None)
    second = portal.add_endpoint(name="Second")
    address = url(portal, "event-resend", delivery.event.event_id)
    client = portal.client("developer")
    assert "Resend to all webhooks?" in client.get(address).content.decode()
    done = client.post(address, follow=True)
    assert "Queued: 2 attempts," in done.content.decode()
    pending = Delivery.objects.filter(event=delivery.event, status="pending")
    assert set(pending.values_list("endpoint", "trigger")) == {
        (first.pk, "resend"),
        (second.pk, "replay"),
    }


@pytest.mark.parametrize(("made", "words"), [(1, ">1 of 1<"), (2, ">2<")])
def test_attempts_beyond_the_schedule_are_not_counted_as_part_of_it(
    portal: Portal, made: int, words: str
) -> None:
    portal.add_endpoint()
    delivery = set_state(create_delivery(portal.live), attempt_count=made, max_attempts=1)
    client = portal.client("viewer")
    for page in (
        url(portal, "delivery-list"),
        url(portal, "event-detail", delivery.event.event_id),
    ):
        assert words in client.get(page).content.decode()
