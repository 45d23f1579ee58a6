"""Looking further back through the log than one page reaches."""

from __future__ import annotations

import pytest

from deliveries.event_log import pages
from deliveries.event_log.pages import PAGE_COUNT_HEADER, should_continue
from subscriptions.paging import keyset
from tests.deliveries.views.pages import create_delivery, url
from tests.portal_clients import HTMX, Portal


@pytest.mark.parametrize("given", ["", "0", "-1", "1.5", "x", "٣", "9999"])
def test_a_header_that_is_no_number_of_pages_counts_as_none(given: str) -> None:
    assert should_continue({PAGE_COUNT_HEADER: given}) == (False, 1)


def test_told_once_to_go_on_a_search_goes_on_by_itself_until_it_finds_or_is_stopped(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_SEARCHED_ROWS", 2)
    monkeypatch.setattr(pages, "MAX_PAGES_BY_ITSELF", 3)
    portal.add_endpoint()
    create_delivery(portal.live, key="needle")
    for n in range(9):
        create_delivery(portal.live, n=n)
    client, goes_on = portal.client("viewer"), 'hx-trigger="load'
    here = client.get(f"{url(portal, 'delivery-list')}?q=needle")
    said = []
    while not here.context["page"].rows:
        window = str(here.context["next_page_number"])
        assert f'hx-headers=\'{{"Looked-Through": "{window}"}}\'' in here.content.decode()
        said.append((window, goes_on in here.content.decode()))
        # What Stop leads to is the same page, at rest.
        at_rest = client.get(here.request["PATH_INFO"] + "?" + here.request["QUERY_STRING"])
        assert goes_on not in at_rest.content.decode()
        headers = HTMX | {"Looked-Through": window}
        here = client.get(here.context["older_url"], headers=headers)
    assert said == [("1", False), ("2", True), ("3", True), ("1", False)]
    assert goes_on not in here.content.decode()
