"""Dictionaries that remember what was seen, and start afresh when they have grown too large."""

from __future__ import annotations

from typing import TypeVar

_MAX_REMEMBERED = 10_000

Key = TypeVar("Key")
Value = TypeVar("Value")


def remember(memory: dict[Key, Value], key: Key, value: Value) -> None:
    """Set memory[key]; forget everything else if that would be more than 10,000 entries."""
    if len(memory) >= _MAX_REMEMBERED:
        memory.clear()
    memory[key] = value
