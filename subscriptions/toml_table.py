"""Typed reading of a parsed TOML or JSON table, with faults that name the key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from subscriptions.errors import did_you_mean

T = TypeVar("T")
KeyPath = tuple[str | int, ...]

_MISSING = object()


class TableError(ValueError):
    """A value of a table is missing or cannot be used.

    `key` is the path of the key at fault, array positions included; `near` is a piece of the
    value's text, and `row` a line inside it (from 1), when the fault is narrower than the key.
    """

    def __init__(self, fault: str, *, key: KeyPath = (), near: str = "", row: int = 0) -> None:
        self.fault = fault
        self.key = key
        self.near = near
        self.row = row
        super().__init__(fault)

    def __str__(self) -> str:
        name = ".".join(part for part in self.key if isinstance(part, str))
        return f"{name}: {self.fault}" if name else self.fault


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a TOML file or a JSON object; every method raises TableError naming the key."""

    values: Mapping[str, object]
    path: KeyPath = ()

    def error(self, key: str, fault: str, *, near: str = "", row: int = 0) -> TableError:
        return TableError(fault, key=(*self.path, key), near=near, row=row)

    def allow(self, *known: str) -> None:
        """Refuse any key that is not among `known`."""
        for key in self.values:
            if key not in known:
                raise self.error(key, f"unknown key{did_you_mean(key, known)}")

    def has(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str, pattern: str = r"(?s).*\S.*") -> str:
        value = self._typed(key, str, "a string")
        if not re.fullmatch(pattern, value):
            raise self.error(key, f"{value!r} is not allowed: it must match {pattern}")
        return value

    def choice(self, key: str, choices: Iterable[str]) -> str:
        value, known = self._typed(key, str, "a string"), tuple(choices)
        if value not in known:
            raise self.error(key, f"{value!r} is not one of {', '.join(known)}")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """The array of strings of `key`, each of which stands there once."""
        if default is not None and key not in self.values:
            return default
        items = self._typed(key, list, "an array of strings")
        for position, item in enumerate(items):
            if not isinstance(item, str):
                raise self.error(key, f"{item!r} is not a string", near=str(item))
            if item in items[:position]:
                raise self.error(key, f"{item!r} is there twice", near=f'"{item}"')
        return tuple(items)

    def flag(self, key: str, default: bool | None = None) -> bool:
        if default is not None and key not in self.values:
            return default
        return self._typed(key, bool, "true or false")

    def integer(self, key: str, low: int, high: int) -> int:
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, f"{value!r} is not a whole number")
        if not low <= value <= high:
            raise self.error(key, f"{value} is not between {low} and {high}")
        return value

    def optional_integer(self, key: str, low: int, high: int) -> int | None:
        return self.integer(key, low, high) if key in self.values else None

    def number(self, key: str, low: float, high: float) -> float:
        return self.check_number(key, self._get(key), low, high)

    def numbers(self, key: str, low: float, high: float) -> tuple[float, ...]:
        items = self._typed(key, list, "an array of numbers")
        return tuple(self.check_number(key, item, low, high) for item in items)

    def check_number(self, key: str, value: object, low: float, high: float) -> float:
        """`value` of `key` as a float, refused unless it is a number from `low` to `high`."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(key, f"{value!r} is not a number", near=str(value))
        if not low <= value <= high:
            raise self.error(key, f"{value} is not between {low} and {high}", near=str(value))
        return float(value)

    def table(self, key: str) -> Table:
        values: dict[str, object] = self._typed(key, dict, "a table")
        return Table(values, (*self.path, key))

    def tables(self, key: str, *, optional: bool = False) -> list[Table]:
        """An array of tables; empty only when `optional`."""
        if optional and key not in self.values:
            return []
        items = self._typed(key, list, "an array of tables")
        if not items and not optional:
            raise self.error(key, "at least one is needed")
        for item in items:
            if not isinstance(item, dict):
                raise self.error(key, f"{item!r} is not a table")
        return [Table(item, (*self.path, key, n)) for n, item in enumerate(items)]

    def raw(self, key: str) -> object:
        return self._get(key)

    def _get(self, key: str) -> object:
        value = self.values.get(key, _MISSING)
        if value is _MISSING:
            raise self.error(key, "is missing")
        return value

    def _typed(self, key: str, kind: type[T], words: str) -> T:
        value = self._get(key)
        if not isinstance(value, kind):
            raise self.error(key, f"{value!r} is not {words}")
        return value
