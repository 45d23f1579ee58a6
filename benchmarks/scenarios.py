"""The scenarios, the figures that they give, and the goals for these figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """A module of this package that does one run and prints its figures as one JSON object.

    `needs`: the scenarios whose figures its ratios use. `once`: it repeats its work by itself, so
    one run is enough.
    """

    name: str
    limit_seconds: float
    needs: tuple[str, ...] = ()
    once: bool = False
    databases: tuple[str, ...] = ("postgresql", "sqlite")


# The order within a round: scenarios whose figures make a ratio follow each other.
SCENARIOS = (
    Scenario("growth", 660, once=True, databases=("postgresql",)),
    Scenario("drain", 150),
    Scenario("floor", 90, needs=("drain",)),
    Scenario("peers", 300, needs=("drain",), databases=("postgresql",)),
    Scenario("latency", 120),
    Scenario("publish", 180),
    Scenario("isolation", 360),
    Scenario("fanout", 90),
    Scenario("memory", 120),
)

# Each ratio divides the first figure by the second, both of the same round.
RATIOS = {
    "floor_ratio": ("drain_rate", "floor_rate"),
    "peer_django_webhook_ratio": ("drain_rate", "peer_django_webhook_rate"),
    "peer_django_outbound_webhooks_ratio": ("drain_rate", "peer_django_outbound_webhooks_rate"),
}

# (figure, goal on PostgreSQL, goal on SQLite), in the order of the table; the rest follow.
_GOALS: tuple[tuple[str, str, str], ...] = (
    ("drain_rate", ">= 3000", ">= 2000"),
    ("floor_rate", "", ""),
    ("floor_two_loops_rate", "", ""),
    ("floor_ratio", ">= 0.6", ""),
    ("dispatcher_cpu_us", "<= 300", ""),
    ("database_cpu_us", "", ""),
    ("drain_memory_peak_mb", "", ""),
    ("peer_django_webhook_rate", "", ""),
    ("peer_django_webhook_ratio", ">= 20", ""),
    ("peer_django_outbound_webhooks_rate", "", ""),
    ("peer_django_outbound_webhooks_ratio", ">= 20", ""),
    ("publish_single_rate", "", ""),
    ("publish_single_p50_ms", "", ""),
    ("publish_single_p99_ms", "", ""),
    ("bare_view_rate", "", ""),
    ("publish_single_ratio", ">= 0.6", ""),
    ("publish_batch_rate", ">= 8000", ""),
    ("publish_batch_100_rate", "", ""),
    ("publish_batch_100_p50_ms", "", ""),
    ("publish_batch_100_p99_ms", "", ""),
    ("publish_batch_1000_rate", "", ""),
    ("publish_batch_1000_p50_ms", "", ""),
    ("publish_batch_1000_p99_ms", "", ""),
    ("publish_p99_under_drain_ms", "<= 150", ""),
    ("latency_p50_ms", "<= 15", ""),
    ("latency_p99_ms", "<= 60", "<= 300"),
    ("healthy_rate_alone", "", ""),
    ("healthy_rate_beside_hanging", "", ""),
    ("isolation_rate_ratio", ">= 0.9", ""),
    ("healthy_p99_alone_ms", "", ""),
    ("healthy_p99_beside_hanging_ms", "", ""),
    ("isolation_p99_ratio", "<= 2", ""),
    ("quiet_p99_alone_ms", "", ""),
    ("quiet_p99_beside_backlog_ms", "", ""),
    ("quiet_broadcaster_p99_ratio", "<= 2", ""),
    ("fanout_ms", "", ""),
    ("fanout_first_ms", "", ""),
    ("fanout_publish_ms", "", ""),
    ("memory_peak_mb", "<= 150", ""),
    ("memory_in_flight", "", ""),
    ("memory_rate", "", ""),
    ("growth_cost_ratio", "<= 1.2", ""),
    ("growth_log_page_ms", "<= 150", ""),
    ("growth_log_page_queries", "<= 8", ""),
)
ORDER = {figure: place for place, (figure, _, _) in enumerate(_GOALS)}
GOALS = {
    "postgresql": {figure: goal for figure, goal, _ in _GOALS if goal},
    "sqlite": {figure: goal for figure, _, goal in _GOALS if goal},
}
_UNITS = (
    ("_ratio", "ratio"),
    ("_rate", "per second"),
    ("_alone", "per second"),
    ("_beside_hanging", "per second"),
    ("_ms", "ms"),
    ("_us", "µs"),
    ("_mb", "MB"),
    ("_seconds", "s"),
    ("_queries", "queries"),
    ("_in_flight", "requests"),
    ("_load", "cores"),
)


def chosen(only: str, database: str) -> list[Scenario]:
    """Return the named scenarios and those that they need, or all. Raises ValueError."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    names = {name.strip() for name in only.split(",") if name.strip()} or set(known)
    if unknown := sorted(names - set(known)):
        raise ValueError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    names |= {need for name in names for need in known[name].needs}
    return [s for s in SCENARIOS if s.name in names and database in s.databases]


def unit(figure: str) -> str:
    name = figure.partition("@")[0]
    return next((unit for ending, unit in _UNITS if name.endswith(ending)), "")


def ratios(figures: Mapping[str, float]) -> dict[str, float]:
    """Return the ratios that the figures of one round allow."""
    return {
        name: figures[over] / figures[under]
        for name, (over, under) in RATIOS.items()
        if over in figures and figures.get(under)
    }


def reached(value: float, goal: str) -> bool:
    sign, number = goal.split()
    return value >= float(number) if sign == ">=" else value <= float(number)
