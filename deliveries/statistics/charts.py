"""Charts as rectangles, for SVG that the server renders: geometry, no colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deliveries.statistics.traffic import OutcomeCounts

WIDTH, HEIGHT = 720, 160
_GAP = 3
_MIN_HEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Gridline:
    y: float
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    lines: tuple[Gridline, ...]
    width: int = WIDTH
    height: int = HEIGHT


def outcome_chart(steps: Sequence[OutcomeCounts]) -> Chart:
    """A stacked bar for each step, from the bottom: delivered, retried, given up, cut short."""
    top = _round_up(max((step.total for step in steps), default=0))
    slot = WIDTH / len(steps)
    bars: list[Bar] = []
    for position, step in enumerate(steps):
        y = float(HEIGHT)
        for kind in ("delivered", "retried", "given_up", "unknown"):
            count = getattr(step, kind)
            if not count:
                continue
            height = max(_MIN_HEIGHT, HEIGHT * count / top)
            y -= height
            x = round(position * slot + _GAP / 2, 1)
            bars.append(
                Bar(kind, x, round(max(0.0, y), 1), round(slot - _GAP, 1), round(height, 1))
            )
    lines = tuple(Gridline(HEIGHT * (1 - n / 2), top * n // 2) for n in ((1, 2) if top > 1 else ()))
    return Chart(tuple(bars), lines)


def _round_up(value: int) -> int:
    """The next round number whose half is round as well."""
    if value <= 2:
        return 2
    power = int(f"1{'0' * (len(str(value)) - 1)}")
    return next(n * power for n in (1, 2, 4, 6, 8, 10) if n * power >= value)


def sparkline(values: Sequence[tuple[int, int]], *, height: float = 20.0) -> tuple[Bar, ...]:
    """A bar for each (succeeded, failed). Heights are square roots, so that small numbers show."""
    top = math.sqrt(max((good + bad for good, bad in values), default=0) or 1)
    bars: list[Bar] = []
    for position, (good, bad) in enumerate(values):
        if not good + bad:
            bars.append(Bar("none", position * 4.0, height - 1, 3.0, 1.0))
            continue
        whole = max(2.0, height * math.sqrt(good + bad) / top)
        bad_part = whole * bad / (good + bad)
        y = height - whole
        if bad:
            bars.append(Bar("bad", position * 4.0, round(y, 1), 3.0, round(max(1.5, bad_part), 1)))
        if good:
            rest = round(whole - bad_part, 1)
            bars.append(Bar("good", position * 4.0, round(y + bad_part, 1), 3.0, rest))
    return tuple(bars)
