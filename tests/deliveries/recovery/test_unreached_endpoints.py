"""Delivering an event to webhooks that want its topic now and never got it."""

from __future__ import annotations

import pytest

from deliveries.models import Delivery
from deliveries.recovery import deliver_to_unreached_endpoint, find_unreached_endpoints
from subscriptions.audit import COMMAND_LINE
from subscriptions.errors import Conflict
from subscriptions.models import AuditEntry
from tests.deliveries.views.pages import publish_event, set_state
from tests.portal_clients import Portal


def test_endpoints_that_want_the_topic_and_have_no_delivery_are_found(portal: Portal) -> None:
    portal.add_endpoint()
    event = publish_event(portal.live, "license.created")
    added = portal.add_endpoint(name="Added", url="https://example.com/added")
    chosen = portal.add_endpoint(
        name="Chosen", url="https://example.com/chosen", topics=["license.created"]
    )
    portal.add_endpoint(name="Other", url="https://example.com/other", topics=["license.renewed"])
    portal.add_endpoint(portal.foreign)
    assert find_unreached_endpoints(portal.live, event) == [added, chosen]


def test_a_test_event_has_no_unreached_endpoints(portal: Portal) -> None:
    event = publish_event(portal.live)
    event.test = True
    portal.add_endpoint()
    assert find_unreached_endpoints(portal.live, event) == []


def test_an_unreached_endpoint_gets_the_event_once_with_the_usual_retries(portal: Portal) -> None:
    event = publish_event(portal.live)
    endpoint = portal.add_endpoint()
    delivery = deliver_to_unreached_endpoint(event=event, endpoint=endpoint, actor=COMMAND_LINE)
    stored = Delivery.objects.get()
    assert (stored.pk, stored.status, stored.trigger) == (delivery.pk, "pending", "replay")
    assert stored.max_attempts == portal.live.rules.max_requests
    assert AuditEntry.objects.get(action="event.deliver_missed").target == event.event_id
    set_state(stored, status="delivered")
    with pytest.raises(Conflict, match="resend that one"):
        deliver_to_unreached_endpoint(event=event, endpoint=endpoint, actor=COMMAND_LINE)


def test_an_endpoint_that_is_switched_off_is_refused(portal: Portal) -> None:
    event = publish_event(portal.live)
    endpoint = portal.add_endpoint(active=False)
    with pytest.raises(Conflict, match="is inactive: switch it on first"):
        deliver_to_unreached_endpoint(event=event, endpoint=endpoint, actor=COMMAND_LINE)
    assert not Delivery.objects.exists()
