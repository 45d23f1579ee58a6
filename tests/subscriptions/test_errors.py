"""Errors, and the hints that end their sentences."""

from __future__ import annotations

import pytest

from subscriptions.errors import Refused, SeveralRefused, did_you_mean


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("purchase.complete", ": did you mean purchase.completed?"),
        ("PURCHASE.COMPLETED", ": did you mean purchase.completed?"),
        ("zzz", ""),
    ],
)
def test_a_near_miss_is_told_the_nearest_name(name: str, hint: str) -> None:
    assert did_you_mean(name, ["purchase.completed", "review.created"]) == hint


def test_several_faults_stand_for_the_first_of_them() -> None:
    first = Refused("The first.", code="first", pointer="/a")
    error = SeveralRefused([first, Refused("The second.", code="second")])
    assert (error.detail, error.code, error.pointer) == ("The first.", "first", "/a")
