"""Writes the last figures of var/bench.jsonl into the tables of README.md.

python -m benchmarks.table
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks.scenarios import GOALS, ORDER, reached
from benchmarks.stage import ROOT

README = Path(__file__).with_name("README.md")
LOG = ROOT / "var" / "bench.jsonl"


def last_figures(database: str) -> dict[str, dict[str, Any]]:
    """Return the last line of each figure, in the order of the table."""
    lines = (json.loads(line) for line in LOG.read_text().splitlines())
    found = {line["figure"]: line for line in lines if line["db"] == database}
    return dict(sorted(found.items(), key=lambda item: (ORDER.get(item[0], len(ORDER)), item[0])))


def markdown(database: str) -> str:
    rows = ["| Figure | Median | Unit | Goal | Reached | Runs |", "|---|--:|---|--:|---|---|"]
    for figure, line in last_figures(database).items():
        goal = GOALS[database].get(figure, "")
        verdict = ("yes" if reached(line["value"], goal) else "**no**") if goal else ""
        sign = goal.replace(">=", "≥").replace("<=", "≤")
        runs = ", ".join(_text(run) for run in line["runs"])
        rows.append(
            f"| `{figure}` | {_text(line['value'])} | {line['unit']} | {sign} | {verdict} | {runs} |"
        )
    return "\n".join(rows)


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    text = README.read_text()
    for database in sys.argv[1:] or ("postgresql", "sqlite"):
        part = re.compile(f"(<!-- {database} -->\n).*?(<!-- end -->)", re.DOTALL)
        found = part.search(text)
        assert found is not None
        text = text.replace(found[0], f"{found[1]}{markdown(database)}\n{found[2]}")
    README.write_text(text)


if __name__ == "__main__":
    main()
