"""The line of a key in a TOML text, for error messages; tomllib does not keep lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from subscriptions.toml_table import KeyPath

Span = tuple[int, int]


def find_line(text: str, key: KeyPath, *, near: str = "", row: int = 0) -> int:
    """The line, from 1, where `key` of a valid TOML `text` is set.

    A key that is not there gives the line of the table that should hold it, or 1. Within a value
    of several lines, `near` picks the first line that contains it and `row` (from 1) counts the
    lines of a multi-line string as its reader sees them.
    """
    spans = dict(reversed(list(_locate_keys(text))))
    while key and key not in spans:
        key, near, row = key[:-1], "", 0
    if not key:
        return 1
    first, last = spans[key]
    lines = text.split("\n")
    if row:
        # TOML drops a line break right after the opening quotes.
        opens_alone = lines[first - 1].rstrip().endswith(("'''", '"""'))
        return min(first + row - (0 if opens_alone else 1), last)
    matches = (number for number in range(first, last + 1) if near in lines[number - 1])
    return next(matches, first)


def _locate_keys(text: str) -> Iterator[tuple[KeyPath, Span]]:
    """Each key path with the first and last line of its statement, in the order of the text."""
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for first, last, statement in _split_statements(text):
        names = list(_list_paths(tomllib.loads(statement)))
        if not statement.lstrip().startswith("["):
            yield from ((table + name, (first, last)) for name in names)
            continue
        array = statement.lstrip().startswith("[[")
        table = _resolve(names[-1], counts, grow=array)
        yield from ((table[:depth], (first, last)) for depth in range(1, len(table) + 1))


def _split_statements(text: str) -> Iterator[tuple[int, int, str]]:
    """First line, last line and text of each statement (a header, or `key = value`).

    A statement ends at the first line with which it can be parsed.
    """
    pending: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending.append(line)
        statement = "\n".join(pending)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        yield number - len(pending) + 1, number, statement
        pending = []


def _list_paths(values: dict[str, Any], base: KeyPath = ()) -> Iterator[KeyPath]:
    for name, value in values.items():
        yield (*base, name)
        if isinstance(value, dict):
            yield from _list_paths(value, (*base, name))


def _resolve(names: KeyPath, counts: dict[KeyPath, int], *, grow: bool) -> KeyPath:
    """The path of a header, with array positions. grow: it starts the next table of an array."""
    path: KeyPath = ()
    for depth, name in enumerate(names, 1):
        path = (*path, name)
        if grow and depth == len(names):
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path
