"""A platform's TOML file, read whole and strictly; a fault names the file and the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from subscriptions.platforms.rules import NAME, SPREAD, PlatformRules
from subscriptions.platforms.toml_lines import find_line
from subscriptions.strict_json import MAX_NESTING, JSONRule, StrictJSONError, read_json
from subscriptions.toml_table import Table, TableError

PLATFORMS_DIR = Path(__file__).parent
SOURCES = ("seed", "doc", "prop")
TOPIC_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
RULE_KEYS = ("name", "title", "wire", "signature", "delivery", "endpoints")
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class PlatformFileError(ValueError):
    """A platform's file cannot be used.

    The text names the file, the line, the key and the fault.
    """


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """A topic as its file has it.

    `source` says where the topic is documented: on the platform's own webhook page (`seed`), in
    other documentation of the platform (`doc`), or nowhere, so that it is proposed here (`prop`).
    `sample` is the JSON text of a valid `data`.
    """

    name: str
    group: str
    group_title: str
    description: str
    source: str
    aliases: tuple[str, ...]
    deprecated: bool
    sample: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UseCaseEntry:
    """A use case as its file has it: a preset of topics."""

    name: str
    description: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlatformFile:
    """Everything a platform's file says, checked."""

    rules: PlatformRules
    summary: str
    documentation: str
    topics: tuple[TopicEntry, ...]
    use_cases: tuple[UseCaseEntry, ...]


def platform_paths(directory: Path = PLATFORMS_DIR) -> list[Path]:
    """The platform files of a directory, in the order of their names."""
    return sorted(directory.glob("*.toml"))


def read_platform_file(path: Path) -> PlatformFile:
    """Read one file. Raises PlatformFileError: `NAME.toml, line N: KEY: FAULT`."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PlatformFileError(f"{path.name}, line {line}: is not UTF-8") from error
    return parse_platform(text, path.name)


def parse_platform(text: str, file_name: str) -> PlatformFile:
    """Read the text of a file whose name has to be the platform's with `.toml`.

    Raises PlatformFileError.
    """
    # TOML ends lines with LF or CRLF; other line breaks can be parts of strings.
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlatformFileError(
            f"{file_name}, line {_find_syntax_line(text, str(error))}: is not TOML: {error}"
        ) from error
    try:
        return _read_platform(values, file_name)
    except TableError as error:
        line = find_line(text, error.key, near=error.near, row=error.row)
        located = PlatformFileError(f"{file_name}, line {line}: {error}")
        raise located from error


def _find_syntax_line(text: str, message: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else max(1, text.count("\n"))


def _read_platform(values: Mapping[str, object], file_name: str) -> PlatformFile:
    top = Table(values)
    top.allow(*RULE_KEYS, "summary", "documentation", "groups", "schemas", "topics", "use_cases")
    rules = PlatformRules.from_dict({key: values[key] for key in RULE_KEYS if key in values})
    if file_name != f"{rules.name}.toml":
        raise top.error("name", f"{rules.name!r} must be the file's name without .toml")
    topics = _read_topics(top, [name for name, _ in rules.body], (SPREAD, "data") in rules.body)
    return PlatformFile(
        rules=rules,
        summary=top.text("summary"),
        documentation=top.text("documentation"),
        topics=topics,
        use_cases=_read_use_cases(top, {topic.name for topic in topics}),
    )


@dataclass(frozen=True, slots=True)
class _TopicReader:
    """Reads the topics of one file, each checked against the others, the groups and the schemas."""

    groups: Mapping[str, str]
    schemas: Mapping[str, dict[str, Any]]
    taken_fields: frozenset[str]
    names: set[str] = field(default_factory=set)

    def read(self, table: Table) -> TopicEntry:
        table.allow(
            "name", "group", "source", "description", "aliases", "deprecated", "sample", "schema"
        )
        name = table.text("name", TOPIC_NAME)
        self._claim(table, "name", name)
        aliases = table.texts("aliases", default=())
        for alias in aliases:
            if not re.fullmatch(TOPIC_NAME, alias):
                raise table.error("aliases", f"{alias!r} is not a topic's name", near=alias)
            self._claim(table, "aliases", alias)
        group = table.choice("group", self.groups)
        schema = self._read_schema(table)
        return TopicEntry(
            name=name,
            group=group,
            group_title=self.groups[group],
            description=table.text("description"),
            source=table.choice("source", SOURCES),
            aliases=aliases,
            deprecated=table.flag("deprecated", default=False),
            sample=self._read_sample(table, schema),
            schema=schema,
        )

    def _claim(self, table: Table, key: str, name: str) -> None:
        if name in self.names:
            raise table.error(key, f"{name!r} is a topic or an alias already", near=name)
        self.names.add(name)

    def _read_schema(self, table: Table) -> dict[str, Any]:
        """A topic's own schema, or the one of `[schemas]` that it names."""
        text = table.text("schema")
        if text.lstrip().startswith("{"):
            return read_schema(table, "schema")
        if text not in self.schemas:
            raise table.error("schema", f"{text!r} is neither a JSON object nor in [schemas]")
        return self.schemas[text]

    def _read_sample(self, table: Table, schema: dict[str, Any]) -> str:
        value = _read_json_object(table, "sample")
        fault = find_sample_fault(value, schema)
        if fault:
            raise table.error("sample", f"is not valid under its schema: {fault}")
        for name in value:
            if name in self.taken_fields:
                fault = f"{name!r} is a field of the body already, and data is spread there"
                raise table.error("sample", fault, near=f'"{name}"')
        return table.text("sample").strip()


def _read_topics(top: Table, body: list[str], spread: bool) -> tuple[TopicEntry, ...]:
    schemas = top.table("schemas") if top.has("schemas") else Table({})
    reader = _TopicReader(
        groups=_read_groups(top),
        schemas={name: read_schema(schemas, name) for name in schemas.values},
        taken_fields=frozenset(body) if spread else frozenset(),
    )
    return tuple(reader.read(table) for table in top.tables("topics"))


def _read_groups(top: Table) -> dict[str, str]:
    groups: dict[str, str] = {}
    for table in top.tables("groups"):
        table.allow("name", "title")
        name = table.text("name", NAME)
        if name in groups:
            raise table.error("name", f"{name!r} is a group already")
        groups[name] = table.text("title")
    return groups


def _read_use_cases(top: Table, topics: set[str]) -> tuple[UseCaseEntry, ...]:
    entries: dict[str, UseCaseEntry] = {}
    for table in top.tables("use_cases", optional=True):
        table.allow("name", "description", "topics")
        name, members = table.text("name"), table.texts("topics")
        if name in entries:
            raise table.error("name", f"{name!r} is a use case already")
        if not members:
            raise table.error("topics", "at least one is needed")
        for topic in members:
            if topic not in topics:
                raise table.error("topics", f"{topic!r} is not a topic", near=f'"{topic}"')
        entries[name] = UseCaseEntry(name, table.text("description"), members)
    return tuple(entries.values())


def read_schema(table: Table, key: str) -> dict[str, Any]:
    """The JSON Schema 2020-12 in the text of `key`, without references to elsewhere.

    Raises TableError.
    """
    schema = _read_json_object(table, key)
    if schema.get("$schema", SCHEMA_DIALECT) != SCHEMA_DIALECT:
        raise table.error(key, f"is not JSON Schema 2020-12: {schema['$schema']}", near="$schema")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise table.error(key, f"is a bad schema at {error.json_path}: {error.message}") from error
    for reference in _find_references(schema):
        if not reference.startswith("#"):
            fault = f"{reference!r} leads outside the schema"
            raise table.error(key, fault, near=reference)
    return schema


def _find_references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _find_references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _find_references(item)


def find_sample_fault(data: object, schema: dict[str, Any]) -> str:
    """Why `data` is not valid under `schema`, in words; "" if it is valid."""
    # With an empty registry no schema can make the validator open a connection.
    validator = Draft202012Validator(schema, registry=Registry())
    try:
        error = best_match(validator.iter_errors(data))
    except Unresolvable as unresolvable:
        return f"the schema has no {unresolvable.ref!r}"
    return f"{error.json_path}: {error.message}" if error else ""


def _read_json_object(table: Table, key: str) -> dict[str, Any]:
    try:
        value = read_json(table.text(key))
    except StrictJSONError as error:
        raise _locate_fault(table, key, error) from error
    if not isinstance(value, dict):
        raise table.error(key, "is not a JSON object")
    return value


def _locate_fault(table: Table, key: str, error: StrictJSONError) -> TableError:
    match error.rule:
        case JSONRule.SYNTAX:
            return table.error(key, f"is not JSON: {error.text}", row=error.line)
        case JSONRule.UNIQUE_KEYS:
            fault, near = f"is not JSON: the field {error.text!r} is there twice", f'"{error.text}"'
        case JSONRule.FINITE_NUMBERS:
            fault, near = f"is not JSON: {error.text} is not a JSON number", error.text
        case JSONRule.SHORT_INTEGERS:
            fault, near = f"has an integer of {len(error.text)} digits", error.text
        case JSONRule.FLAT_NESTING:
            fault, near = f"is nested over {MAX_NESTING} levels deep", ""
        case JSONRule.WHOLE_CHARACTERS:
            fault, near = "has half of a surrogate pair in a string", ""
        case JSONRule.UTF_8:
            raise AssertionError("a TOML file is read as UTF-8 before its JSON is") from error
    return table.error(key, fault, near=near)
