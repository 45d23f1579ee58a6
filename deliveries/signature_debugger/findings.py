"""Reads findings.toml: what is said of each finding."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple


class FindingText(NamedTuple):
    """What is said of a finding. `fix`: the kind of code line that helps; "" for none."""

    title: str
    cause: str
    action: str
    fix: str


def _read() -> dict[str, FindingText]:
    text = (Path(__file__).parent / "findings.toml").read_text(encoding="utf-8")
    return {code: FindingText(**table) for code, table in tomllib.loads(text).items()}


FINDING_TEXTS = _read()
