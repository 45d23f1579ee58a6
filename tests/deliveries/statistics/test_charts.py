"""Charts as rectangles: where bars stand, and that small numbers can be seen."""

from __future__ import annotations

from datetime import UTC, datetime

from deliveries.statistics.charts import HEIGHT, WIDTH, outcome_chart, sparkline
from deliveries.statistics.traffic import OutcomeCounts

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_bars_of_a_step_are_stacked_and_those_of_the_next_stand_beside_them() -> None:
    first = OutcomeCounts(NOW, delivered=6, retried=2)
    chart = outcome_chart([first, OutcomeCounts(NOW, given_up=1)])
    delivered, retried, given_up = chart.bars
    assert [bar.kind for bar in chart.bars] == ["delivered", "retried", "given_up"]
    assert delivered.x == retried.x < given_up.x
    assert delivered.y + delivered.height == HEIGHT
    assert retried.y + retried.height == delivered.y
    assert given_up.x + given_up.width < WIDTH


def test_gridlines_are_at_round_numbers_and_no_bar_is_higher_than_the_chart() -> None:
    chart = outcome_chart([OutcomeCounts(NOW, delivered=37)])
    assert [line.value for line in chart.lines] == [20, 40]
    assert all(bar.y >= 0 and bar.height <= HEIGHT for bar in chart.bars)
    assert outcome_chart([OutcomeCounts(NOW)]).bars == ()


def test_a_single_failure_among_thousands_can_be_seen() -> None:
    chart = outcome_chart([OutcomeCounts(NOW, delivered=100_000, given_up=1)])
    assert chart.bars[-1].height >= 2
    bad = next(bar for bar in sparkline([(10_000, 1)]) if bar.kind == "bad")
    assert bad.height >= 1.5


def test_an_hour_without_attempts_has_a_bar_of_its_own_kind_in_a_sparkline() -> None:
    assert [bar.kind for bar in sparkline([(0, 0), (1, 0)])] == ["none", "good"]
