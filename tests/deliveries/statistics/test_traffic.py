"""Traffic: outcomes by step, and response times out of histograms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deliveries.statistics.traffic import PERIODS, percentile, read_traffic
from tests.deliveries.views.pages import count_hour
from tests.portal_clients import Portal

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def test_outcomes_are_summed_over_endpoints_shards_and_steps(portal: Portal) -> None:
    one, two = portal.add_endpoint(), portal.add_endpoint(url="https://example.com/2")
    count_hour(one, NOW, succeeded=5, failed=3, exhausted=1, ms_0=8)
    count_hour(one, NOW, shard=2, succeeded=1, ms_5=1)
    count_hour(two, NOW - timedelta(hours=23), succeeded=2, unknown=1)
    count_hour(two, NOW - timedelta(hours=24), succeeded=100)
    count_hour(portal.add_endpoint(portal.foreign), NOW, succeeded=1000)
    traffic = read_traffic(portal.live, PERIODS[0], NOW)
    assert len(traffic.steps) == 24
    last, first = traffic.steps[-1], traffic.steps[0]
    assert (last.delivered, last.retried, last.given_up) == (6, 2, 1)
    assert (first.delivered, first.unknown) == (2, 1)
    assert traffic.whole.total == 12
    assert traffic.failure_percent == pytest.approx(100 * 3 / 11)


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: period.name)
def test_every_period_ends_with_the_present_hour(portal: Portal, period: Any) -> None:
    count_hour(portal.add_endpoint(), NOW, succeeded=7)
    traffic = read_traffic(portal.live, period, NOW)
    assert traffic.steps[-1].delivered == 7
    assert traffic.steps[0].start <= NOW - (period.steps - 1) * period.step


def test_a_percentile_is_read_out_of_a_histogram() -> None:
    assert percentile([10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.5) == 5.0
    assert percentile([0] * 11 + [4], 0.95) == 30_000
    assert percentile([0] * 12, 0.5) is None
    assert percentile([50, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.95) == pytest.approx(47.5)
