"""Rate limits: what a bucket holds, and that nobody spends a token twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from deliveries.dispatch.rate_limits import refill, return_tokens, take_tokens
from deliveries.models import EndpointRate
from tests.deliveries.sending import broadcaster_on, endpoint_at


@given(
    st.integers(1, 10_000),
    st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=50),
)
def test_no_stretch_of_time_gets_more_than_the_limit_and_a_tenth(
    limit: int, pauses: list[float]
) -> None:
    tokens, spent = max(1.0, limit * 0.1), 0
    for pause in pauses:
        tokens = refill(tokens, timedelta(seconds=pause), limit)
        spent += int(tokens)
        tokens -= int(tokens)
    assert spent <= limit * sum(pauses) + max(1.0, limit * 0.1) + 1e-6 * len(pauses) * limit


def test_a_clock_that_goes_back_fills_nothing() -> None:
    assert refill(0.5, timedelta(seconds=-5), 10) == 0.5


@pytest.mark.django_db(transaction=True)
def test_tokens_are_taken_once_and_come_back_with_time() -> None:
    endpoint = endpoint_at("https://example.com/", broadcaster_on("cleeng").broadcaster)
    now = timezone.now()
    pk = endpoint.pk
    assert take_tokens({pk: 50}, {pk: 100}, now) == {pk: 1}
    assert take_tokens({pk: 50}, {pk: 100}, now) == {}
    later = now + timedelta(seconds=1)
    assert take_tokens({pk: 50}, {pk: 100}, later) == {pk: 10}
    assert take_tokens({pk: 50}, {pk: 100}, now) == {}, "a worker whose clock is behind"
    return_tokens({pk: 4})
    assert take_tokens({pk: 50}, {pk: 100}, later) == {pk: 4}
    assert EndpointRate.objects.get(pk=pk).tokens < 1
