"""Topics are found by name or alias; an unknown one is refused with the nearest name."""

from __future__ import annotations

import pytest

from subscriptions.catalogue import find_topic
from subscriptions.errors import Refused
from subscriptions.models import Platform

pytestmark = pytest.mark.django_db


@pytest.fixture
def cleeng() -> Platform:
    return Platform.objects.get(name="cleeng")


def test_a_topic_is_found_by_its_name(cleeng: Platform) -> None:
    assert find_topic(cleeng, "paymentRejected").name == "paymentRejected"


def test_an_alias_leads_to_the_topic_that_goes_on_the_wire(cleeng: Platform) -> None:
    assert find_topic(cleeng, "newCustomer").name == "customerRegistered"


def test_another_platforms_topic_is_unknown(cleeng: Platform) -> None:
    with pytest.raises(Refused):
        find_topic(cleeng, "purchase.completed")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("paymentReject", "paymentRejected"),
        ("CUSTOMERREGISTERED", "customerRegistered"),
        ("newCustomers", "newCustomer"),
    ],
)
def test_a_near_miss_is_told_the_nearest_name(cleeng: Platform, name: str, nearest: str) -> None:
    with pytest.raises(Refused) as caught:
        find_topic(cleeng, name, pointer="/topics/0")

    assert caught.value.code == "unknown_topic"
    assert caught.value.pointer == "/topics/0"
    assert caught.value.detail == f"Cleeng has no topic {name!r}: did you mean {nearest}?"


@pytest.mark.parametrize("name", ["", "*", "a\x00b", "\ud800", "x" * 100_000])
def test_nonsense_is_refused_and_quoted_briefly(cleeng: Platform, name: str) -> None:
    with pytest.raises(Refused) as caught:
        find_topic(cleeng, name)

    assert caught.value.code == "unknown_topic"
    assert len(caught.value.detail) < 200
