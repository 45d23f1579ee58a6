"""Runs `make bench`: every scenario three times, in rounds; prints the medians and keeps them.

    python -m benchmarks [--db sqlite] [--only drain,latency] [--runs 3]

If a scenario fails, the others continue, the failure is printed at the end, and the exit code is 1.
Figures are appended to var/bench.jsonl, one line each. Everything ends within 25 minutes: a run for
which no time is left is skipped, and the figure shows how many runs it has.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.scenarios import GOALS, ORDER, Scenario, chosen, ratios, reached, unit
from benchmarks.stage import POSTGRESQL, ROOT

WHOLE_SECONDS = 24 * 60.0
# How long a run that is told to end may take to clean up: dropping gigabytes takes a while.
GRACE_SECONDS = 45.0
LOOK_SECONDS = 1.0
LOG = ROOT / "var" / "bench.jsonl"


class Failed(Exception):
    """A run gave no figures; the message says why."""


@dataclass(slots=True)
class Bench:
    """The runs of one call of the command, and their figures."""

    database: str
    console: Console
    begin: float = field(default_factory=time.monotonic)
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    load: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    took: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self, scenarios: Sequence[Scenario], rounds: int) -> None:
        for number in range(1, rounds + 1):
            together: dict[str, float] = {}
            try:
                for scenario in scenarios:
                    if scenario.once and number > 1:
                        continue
                    name = scenario.name if scenario.once else f"{scenario.name} {number}/{rounds}"
                    together |= self._run_one(scenario, name)
            finally:
                self._keep(ratios(together), self.load["machine_load"][-1:])

    def _run_one(self, scenario: Scenario, name: str) -> dict[str, float]:
        left = WHOLE_SECONDS - (time.monotonic() - self.begin)
        if left < self.took.get(scenario.name, 30.0):
            self.console.print(f"{name}: skipped, no time is left for it")
            if scenario.name not in self.took:
                self.failures.append(f"{name}: no time was left for it")
            return {}
        load = busy_cores()
        begin = time.monotonic()
        try:
            printed = run_scenario(scenario.name, self.database, min(left, scenario.limit_seconds))
        except Failed as failure:
            self.failures.append(f"{name}: {failure}")
            self.console.print(f"[red]{name}: failed[/]")
            return {}
        finally:
            self.took[scenario.name] = time.monotonic() - begin
        self.console.print(
            f"{name}: {self.took[scenario.name]:.0f} s; others kept {load:.1f} cores busy"
        )
        for peer, problem in printed.pop("error", {}).items():
            self.failures.append(f"{name}, {peer}: {problem}")
        self._keep(printed, [load])
        self.figures["machine_load"].append(load)
        self.load["machine_load"].append(load)
        return printed

    def _keep(self, figures: dict[str, float], load: Sequence[float]) -> None:
        for figure, value in figures.items():
            self.figures[figure].append(float(f"{value:.5g}"))
            self.load[figure] += load

    def ordered(self) -> list[str]:
        return sorted(self.figures, key=lambda figure: (ORDER.get(figure, len(ORDER)), figure))


def run_scenario(name: str, database: str, limit_seconds: float) -> dict[str, Any]:
    """One run in a process of its own. Raises Failed."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{name}", database],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A Ctrl-C at the terminal reaches this process alone, which passes it on once.
        start_new_session=True,
    )
    try:
        output, said = process.communicate(timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise Failed(f"not done within {limit_seconds:.0f} s") from None
    except KeyboardInterrupt:
        _end(process)
        raise
    if process.returncode:
        raise Failed(said.strip()[-3000:] or f"exit code {process.returncode}")
    printed: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return printed


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt the run so that it cleans up; if it does not end, kill it and all its children."""
    children: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):  # it has ended by itself
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    drop_databases(process.pid)


def drop_databases(pid: int) -> None:
    """Drop the databases that a killed run has left on PostgreSQL."""
    with suppress(psycopg.OperationalError), psycopg.connect(POSTGRESQL, autocommit=True) as link:
        left = link.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"bench_{pid}_"]
        ).fetchall()
        for (name,) in left:
            link.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def busy_cores() -> float:
    """Return how many cores other processes keep busy, measured over a second."""
    return psutil.cpu_percent(LOOK_SECONDS) / 100 * (psutil.cpu_count() or 1)


def show(bench: Bench) -> None:
    goals = GOALS[bench.database]
    table = Table(title=f"{bench.database}, {machine()}")
    for column in ("figure", "median", "unit", "goal", "", "runs", "load"):
        table.add_column(column, justify="right" if column in {"median", "load"} else "left")
    for figure in bench.ordered():
        runs = bench.figures[figure]
        value, goal = statistics.median(runs), goals.get(figure, "")
        verdict = ("[green]yes[/]" if reached(value, goal) else "[red]no[/]") if goal else ""
        load = statistics.median(bench.load[figure])
        table.add_row(
            figure,
            number(value),
            unit(figure),
            goal,
            verdict,
            "  ".join(map(number, runs)),
            f"{load:.1f}",
        )
    bench.console.print(table)
    bench.console.print(
        "load: cores that others kept busy just before the run. Seconds a run took: "
        + ", ".join(f"{name} {seconds:.0f}" for name, seconds in bench.took.items())
    )


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    one, _, _ = os.getloadavg()
    return (
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load average {one:.1f}"
    )


def write(bench: Bench) -> None:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a") as log:
        for figure in bench.ordered():
            runs = bench.figures[figure]
            line = {
                "figure": figure,
                "value": statistics.median(runs),
                "unit": unit(figure),
                "db": bench.database,
                "runs": runs,
            }
            log.write(json.dumps(line, ensure_ascii=False) + "\n")


def main() -> int:
    """Return the exit code: 1 if something could not be measured, 2 if nothing could be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--db", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--only", default="", help="names of scenarios, with commas between")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    try:
        scenarios = chosen(given.only, given.db)
        if given.db == "postgresql":
            psycopg.connect(POSTGRESQL, connect_timeout=5).close()
    except ValueError as problem:
        parser.error(str(problem))
    except psycopg.OperationalError as problem:
        parser.error(f"No PostgreSQL: name one in TEST_DATABASE_URL. {str(problem).strip()}")
    if not scenarios:
        parser.error(f"{given.only} is not for {given.db}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bench = Bench(given.db, Console(width=None if sys.stdout.isatty() else 150))
    try:
        bench.run(scenarios, given.runs)
    except KeyboardInterrupt:
        bench.failures.append("interrupted")
    if bench.figures:
        show(bench)
        write(bench)
    for failure in bench.failures:
        bench.console.print(f"FAILED {failure}", markup=False, highlight=False)
    bench.console.print(f"{(time.monotonic() - bench.begin) / 60:.1f} minutes in all")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
