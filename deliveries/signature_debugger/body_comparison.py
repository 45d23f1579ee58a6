"""Identifies the change that turned one body into another."""

from __future__ import annotations

import re
from typing import Any

from deliveries.signature_debugger.possible_originals import possible_originals
from deliveries.signature_debugger.transformations import Change, parse_body, transformations

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*")


def identify_change(received: bytes, original: bytes) -> Change:
    """Identify the change from original to received; "changed-body" if it is none of the known ones."""
    for change in transformations(original):
        if change.body == received:
            return change
    if received and original.startswith(received):
        how = f"it ends after {len(received):,} of {len(original):,} bytes"
        return Change("truncated-body", how, received)
    for change in transformations(original):
        if change.body.strip() and change.body.strip() == received.strip():
            return Change(change.code, f"{change.how}, with white space around it", received)
    for change in possible_originals(received):
        if change.body == original and change.code != "rewritten-json":
            return change
    return _compare_values(received, original)


def _compare_values(received: bytes, original: bytes) -> Change:
    value = parse_body(received)
    if value is None:
        return Change("changed-body", "its bytes are others", received)
    wanted = parse_body(original)
    if value != wanted:
        if _is_part(value, wanted):
            return Change("fields-lost", "fields of it are missing", received)
        return Change("values-changed", _first_change(value, wanted), received)
    ours, theirs = _tokens(original), _tokens(received)
    differing = [(one, two) for one, two in zip(ours, theirs, strict=False) if one != two]
    if len(ours) == len(theirs) and all(_are_numbers(*pair) for pair in differing):
        how = f"{differing[0][0]} became {differing[0][1]}" if differing else "spaces were added"
        return Change("number-format" if differing else "rewritten-json", how, received)
    if sorted(ours) == sorted(theirs):
        return Change("reordered-keys", "its fields are in another order", received)
    return Change("rewritten-json", "the same values, written in another way", received)


def _tokens(body: bytes) -> list[str]:
    return _TOKEN.findall(body.decode("utf-8", "surrogateescape"))


def _are_numbers(one: str, two: str) -> bool:
    return bool(_NUMBER.fullmatch(one) and _NUMBER.fullmatch(two))


def _is_part(value: Any, whole: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(whole, dict)
        and len(value) < len(whole)
        and all(key in whole and value[key] == whole[key] for key in value)
    )


def _first_change(value: Any, wanted: Any, path: str = "") -> str:
    if isinstance(value, dict) and isinstance(wanted, dict):
        for key in (*wanted, *value):
            if key not in value:
                return f"{path}/{key} is missing"
            if key not in wanted:
                return f"{path}/{key} was added"
            if value[key] != wanted[key]:
                return _first_change(value[key], wanted[key], f"{path}/{key}")
    if isinstance(value, list) and isinstance(wanted, list) and len(value) == len(wanted):
        for number, (one, two) in enumerate(zip(value, wanted, strict=True)):
            if one != two:
                return _first_change(one, two, f"{path}/{number}")
    return f"{path or '/'} has another value"
