"""The data of a test as a person typed it: read strictly, and compared with the topic's schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError

from deliveries.payload.canonical_json import JSONError, parse_json

_MAX_WARNINGS = 10


@dataclass(frozen=True, slots=True)
class SampleCheck:
    """fault: why the data cannot be sent. warnings: how it differs from what the platform sends."""

    data: dict[str, Any] | None
    fault: str
    warnings: tuple[str, ...]


def check_sample(text: str, schema: dict[str, Any]) -> SampleCheck:
    try:
        data = parse_json(text)
    except JSONError as error:
        return SampleCheck(None, error.detail, ())
    if not isinstance(data, dict):
        return SampleCheck(None, "The data is not a JSON object: write it in braces.", ())
    return SampleCheck(data, "", tuple(_warnings(data, schema)))


def _warnings(data: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    if not schema:
        return
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        yield "The topic's schema is not a valid JSON Schema, so the data was not compared with it."
        return
    faults = sorted(
        Draft202012Validator(schema).iter_errors(data), key=lambda fault: list(map(str, fault.path))
    )
    for fault in faults[:_MAX_WARNINGS]:
        yield _describe(fault)
    if len(faults) > _MAX_WARNINGS:
        yield f"… and {len(faults) - _MAX_WARNINGS} more."


def _describe(fault: ValidationError) -> str:
    where = ".".join(str(part) for part in fault.absolute_path)
    message = fault.message if len(fault.message) <= 200 else f"{fault.message[:200]}…"
    return f"{where}: {message}" if where else message
