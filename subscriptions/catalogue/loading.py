"""Bring the catalogue's rows in step with a platform's file."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from django.db.models import Model

from subscriptions.models.broadcaster import Broadcaster
from subscriptions.models.platform import Origin, Platform, Topic, UseCase
from subscriptions.platforms.files import PlatformFile, PlatformFileError, TopicEntry, UseCaseEntry

Row = TypeVar("Row", bound=Model)


def load_platform(file: PlatformFile) -> list[str]:
    """Make or change the platform, its topics and use cases as `file` has them.

    Gives a line for each change, none when all was so already. To be called in a transaction.
    Raises PlatformFileError when staff made a platform of that name.
    """
    changes: list[str] = []
    platform = _platform(file, changes)
    topics = _topics(platform, file.topics, changes)
    _use_cases(platform, file.use_cases, topics, changes)
    return [f"{file.rules.name}: {change}" for change in changes]


def _platform(file: PlatformFile, changes: list[str]) -> Platform:
    name = file.rules.name
    platform = Platform.objects.select_for_update().filter(name=name).first()
    if platform is not None and platform.origin != Origin.FILE:
        fault = "a platform of that name was made in the admin: rename one of the two"
        raise PlatformFileError(f"{name}.toml: {fault}")
    values = {
        "title": file.rules.title,
        "summary": file.summary,
        "documentation": file.documentation,
        "rules_json": json.dumps(file.rules.to_dict()),
        "origin": Origin.FILE,
    }
    return _put(platform or Platform(name=name), values, "platform", changes)


def _topics(
    platform: Platform, entries: tuple[TopicEntry, ...], changes: list[str]
) -> dict[str, Topic]:
    rows = {topic.name: topic for topic in platform.topics.all()}
    loaded: dict[str, Topic] = {}
    for position, entry in enumerate(entries):
        row = _take(rows, entry) or Topic(platform=platform)
        values: dict[str, Any] = {
            "name": entry.name,
            "group": entry.group,
            "group_title": entry.group_title,
            "position": position,
            "description": entry.description,
            "source": entry.source,
            "aliases": list(entry.aliases),
            "deprecated": entry.deprecated,
            "sample": entry.sample,
            "schema": entry.schema,
        }
        loaded[entry.name] = _put(row, values, f"topic {row.name or entry.name}", changes)
    _retire(platform, rows, changes)
    return loaded


def _take(rows: dict[str, Topic], entry: TopicEntry) -> Topic | None:
    """The row of this topic, taken out of `rows`.

    A row under one of the aliases is the topic before it was renamed; kept, it keeps its
    subscribers.
    """
    for name in (entry.name, *entry.aliases):
        if name in rows:
            return rows.pop(name)
    return None


def _retire(platform: Platform, vanished: dict[str, Topic], changes: list[str]) -> None:
    """Topics that the file no longer has go, unless somebody may subscribe to or have had them."""
    used = Broadcaster.objects.filter(platform=platform).exists()
    for name, topic in vanished.items():
        if not used:
            topic.delete()
            changes.append(f"topic {name} deleted")
        elif not topic.deprecated:
            topic.deprecated = True
            topic.save(update_fields=["deprecated"])
            changes.append(f"topic {name} deprecated: it is no longer in the file")


def _use_cases(
    platform: Platform,
    entries: tuple[UseCaseEntry, ...],
    topics: dict[str, Topic],
    changes: list[str],
) -> None:
    rows = {use_case.name: use_case for use_case in platform.use_cases.all()}
    for position, entry in enumerate(entries):
        row = rows.pop(entry.name, None) or UseCase(platform=platform, name=entry.name)
        label = f"use case {entry.name}"
        use_case = _put(
            row, {"description": entry.description, "position": position}, label, changes
        )
        wanted = {topics[name].pk for name in entry.topics}
        held = set(use_case.topics.values_list("pk", flat=True))
        if wanted != held:
            use_case.topics.set(wanted)
            if held:
                changes.append(f"{label} changed: topics")
    for name, row in rows.items():
        row.delete()
        changes.append(f"use case {name} deleted")


def _put(row: Row, values: dict[str, Any], label: str, changes: list[str]) -> Row:
    """Save `row` with `values` if it is new or differs, and say so in `changes`."""
    if row._state.adding:
        changes.append(f"{label} added")
    else:
        values = {key: value for key, value in values.items() if getattr(row, key) != value}
        if not values:
            return row
        changes.append(f"{label} changed: {', '.join(values)}")
    for key, value in values.items():
        setattr(row, key, value)
    row.save()
    return row
