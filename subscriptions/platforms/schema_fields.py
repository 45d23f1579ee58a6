"""The fields of a JSON Schema, as the rows of a table in documentation pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class SchemaField:
    """`path` is like `buyer.id` or `items[].name`; `kind` is words for the type."""

    path: str
    kind: str
    required: bool
    note: str


def list_schema_fields(
    schema: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> list[SchemaField]:
    """All fields of an object's schema, nested ones after their parent, to a depth of 8."""
    return list(_walk(schema, prefix, depth))


def _walk(schema: Mapping[str, Any], prefix: str, depth: int) -> Iterator[SchemaField]:
    if depth > _MAX_DEPTH:
        return
    required = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        rules = value if isinstance(value, dict) else {}
        path = f"{prefix}{name}"
        yield SchemaField(path, _describe_type(rules), name in required, _describe_rules(rules))
        yield from _walk(rules, f"{path}.", depth + 1)
        if isinstance(rules.get("items"), dict):
            yield from _walk(rules["items"], f"{path}[].", depth + 1)


def _describe_type(rules: Mapping[str, Any]) -> str:
    kinds = rules.get("type", ())
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    if "array" in names and isinstance(rules.get("items"), dict):
        inner = rules["items"].get("type")
        if isinstance(inner, str):
            names[names.index("array")] = f"array of {inner}s"
    return " or ".join(names) or ("constant" if "const" in rules else "any")


def _describe_rules(rules: Mapping[str, Any]) -> str:
    parts = [str(rules.get("description", "")).rstrip(".")]
    if "format" in rules:
        parts.append(f"format {rules['format']}")
    if "enum" in rules:
        parts.append("one of " + ", ".join(str(value) for value in rules["enum"]))
    if "const" in rules:
        parts.append(f"always {rules['const']}")
    return "; ".join(part for part in parts if part)
