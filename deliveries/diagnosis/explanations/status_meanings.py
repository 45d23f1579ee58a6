"""Reads status_meanings.toml: what it means when a receiver answers with a certain status."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from deliveries.diagnosis.explanations.explanation import Who


class StatusMeaning(NamedTuple):
    """What a status is called, what it means, who must act, and what to do."""

    name: str
    meaning: str
    who: Who
    action: str


def _read() -> dict[int, StatusMeaning]:
    text = (Path(__file__).parent / "status_meanings.toml").read_text(encoding="utf-8")
    return {int(code): StatusMeaning(**table) for code, table in tomllib.loads(text).items()}


STATUS_MEANINGS = _read()
