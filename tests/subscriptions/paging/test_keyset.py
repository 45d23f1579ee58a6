"""Pages by primary key: where they end, where the next one starts, and how far they look."""

from __future__ import annotations

import pytest
from django.db.models import Q

from subscriptions.models import Platform, Topic
from subscriptions.paging import KeysetPage, Narrowed, keyset, read_page, read_row_id

ROWS = 10


@pytest.fixture
def keys(db: None) -> list[int]:
    platform = Platform.objects.create(name="paged", title="Paged")
    topics = [Topic(platform=platform, name=f"t{n}", position=n) for n in range(ROWS)]
    return [topic.pk for topic in Topic.objects.bulk_create(topics)]


def topics() -> Narrowed[Topic]:
    return Narrowed(Topic.objects.filter(platform="paged"))


def row_keys(page: KeysetPage[Topic]) -> list[int]:
    return [topic.pk for topic in page.rows]


def test_pages_downwards_have_every_row_once_newest_first(keys: list[int]) -> None:
    found: list[int] = []
    start = None
    for _ in range(4):
        page = read_page(topics(), size=3, start=start)
        found += row_keys(page)
        start = page.last_key
    assert (found, start) == (keys[::-1], None)


def test_a_page_upwards_is_in_the_order_of_the_keys(keys: list[int]) -> None:
    page = read_page(topics(), size=2, start=keys[3], upwards=True)
    assert (row_keys(page), page.last_key) == (keys[4:6], keys[5])
    with_start = read_page(topics(), size=2, start=keys[3], upwards=True, includes_start=True)
    assert row_keys(with_start) == keys[3:5]


def test_a_page_that_ends_with_the_last_row_has_none_after_it(keys: list[int]) -> None:
    assert read_page(topics(), size=ROWS).last_key is None
    assert read_page(topics(), size=ROWS - 1).last_key == keys[1]
    assert read_page(topics(), size=3, start=keys[0]) == KeysetPage([])


@pytest.mark.parametrize("scans_text", [False, True])
def test_a_condition_without_an_index_is_tried_on_a_bounded_number_of_rows(
    keys: list[int], monkeypatch: pytest.MonkeyPatch, scans_text: bool
) -> None:
    monkeypatch.setattr(keyset, "MAX_SEARCHED_ROWS" if scans_text else "MAX_COMPARED_ROWS", 4)
    rare = Narrowed(topics().rows, Q(name="t0"), scans_text=scans_text)
    first = read_page(rare, size=3)
    assert (first.rows, first.last_key, first.scan_end) == ([], keys[6], keys[6])
    second = read_page(rare, size=3, start=first.last_key)
    assert (second.rows, second.scan_end) == ([], keys[2])
    last = read_page(rare, size=3, start=second.last_key)
    assert (row_keys(last), last.last_key, last.scan_end) == ([keys[0]], None, None)
    assert [topic.pk for topic in rare.matching] == [keys[0]]


@pytest.mark.parametrize(
    ("text", "row_id"),
    [("7", 7), ("", None), ("-1", None), ("1.5", None), ("x", None), ("9" * 18, 10**18 - 1)],
)
def test_a_row_id_is_a_number_that_a_row_can_have(text: str, row_id: int | None) -> None:
    assert read_row_id(text) == row_id
    assert read_row_id("9" * 19) is None
