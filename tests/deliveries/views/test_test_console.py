"""The test console: data of one's own is checked, sent and refused."""

from __future__ import annotations

import json

import pytest

from deliveries.models import Delivery
from tests.deliveries.sending import dispatch
from tests.deliveries.views.pages import url
from tests.portal_clients import HTMX, Portal, make_portal, one_line
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(transactional_db: None) -> Portal:
    return make_portal()


def test_the_console_offers_the_sample_of_the_chosen_topic(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    address = f"{url(portal, 'test-console')}?endpoint={endpoint.public_id}&topic=license.renewed"
    response = portal.client("developer").get(address)
    assert response.context["data"] == response.context["topic"].sample
    assert response.context["topic"].name == "license.renewed"


def test_the_console_starts_with_the_first_topic_of_the_webhook(portal: Portal) -> None:
    portal.add_endpoint(topics=["license.renewed"])
    response = portal.client("developer").get(url(portal, "test-console"))
    assert response.context["topic"].name == "license.renewed"


def test_the_console_starts_with_a_webhook_that_is_active(portal: Portal) -> None:
    portal.add_endpoint(name="Above, and off", active=False)
    on = portal.add_endpoint(name="Below")
    page = portal.client("developer").get(url(portal, "test-console"))
    assert page.context["endpoint"] == on


def test_edited_data_is_sent_as_it_is_with_a_warning(portal: Portal, receiver: Receiver) -> None:
    endpoint = portal.add_endpoint(url=receiver.url("/in"))
    form = {"endpoint": endpoint.public_id, "topic": "license.created", "data": '{"key": 5}'}
    response = portal.client("developer").post(url(portal, "test-console"), form, headers=HTMX)
    assert "is not of type" in response.content.decode()
    dispatch()
    assert json.loads(receiver.requests[0].body)["data"] == {"key": 5}


def test_checking_sends_nothing(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    form = {"endpoint": endpoint.public_id, "topic": "license.created", "check": "1"}
    client = portal.client("developer")
    address = url(portal, "test-console")
    checked = client.post(address, form | {"data": '{"key": 5}'})
    assert "is not of type" in checked.content.decode()
    assert checked.context["data"] == '{"key": 5}'
    sample = client.get(address).context["topic"].sample
    fine = client.post(address, form | {"data": sample}, headers=HTMX).content.decode()
    assert "As Cryptlex describes it." in fine
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"n": NaN}', "not a JSON number"),
        ('{"a": 1, "a": 2}', "there twice"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_data_that_cannot_be_sent_is_refused_and_kept_in_the_form(
    portal: Portal, data: str, words: str, headers: dict[str, str]
) -> None:
    endpoint = portal.add_endpoint()
    form = {"endpoint": endpoint.public_id, "topic": "license.created", "data": data}
    response = portal.client("developer").post(url(portal, "test-console"), form, headers=headers)
    assert response.status_code == 422
    assert words in response.content.decode()
    if not headers:
        assert response.context["data"] == data
    assert not Delivery.objects.exists()


def test_the_test_tab_of_a_webhook_is_the_console_below_its_head(portal: Portal) -> None:
    endpoint = portal.add_endpoint()
    client = portal.client("developer")
    tab = f"{url(portal, 'test-console')}?endpoint={endpoint.public_id}&in=webhook"
    detail = client.get(portal.url("endpoint-detail", endpoint.public_id)).content.decode()
    assert tab.replace("&", "&amp;") in detail
    page = one_line(client.get(tab).content.decode())
    assert 'aria-current="page" >Test</a>' in page
    assert page.count('id="test-result"') == 1
    assert 'name="in" value="webhook"' in page
    assert 'id="test-endpoint"' not in page
    assert 'id="test-endpoint"' in client.get(url(portal, "test-console")).content.decode()
