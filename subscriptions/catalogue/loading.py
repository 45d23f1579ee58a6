"""Loading a platform's file: its rows in the catalogue are made equal to it."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from django.db.models import Model

from subscriptions.models.broadcaster import Broadcaster
from subscriptions.models.platform import Origin, Platform, Topic, UseCase
from subscriptions.platforms.files import PlatformFile, PlatformFileError, TopicEntry, UseCaseEntry

Row = TypeVar("Row", bound=Model)


def load_platform(file: PlatformFile) -> list[str]:
    """Create or change the platform, its topics and use cases so that they are as in `file`.

    Returns a line for each change, none if nothing differed. Has to be called in a transaction.
    Raises PlatformFileError if staff have created a platform of that name.
    """
    changes: list[str] = []
    platform = _load_platform(file, changes)
    topics = _load_topics(platform, file.topics, changes)
    _load_use_cases(platform, file.use_cases, topics, changes)
    return [f"{file.rules.name}: {change}" for change in changes]


def _load_platform(file: PlatformFile, changes: list[str]) -> Platform:
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
    return _save_changes(platform or Platform(name=name), values, "platform", changes)


def _load_topics(
    platform: Platform, entries: tuple[TopicEntry, ...], changes: list[str]
) -> dict[str, Topic]:
    rows = {topic.name: topic for topic in platform.topics.all()}
    loaded: dict[str, Topic] = {}
    for position, entry in enumerate(entries):
        row = _pop_row(rows, entry) or Topic(platform=platform)
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
        loaded[entry.name] = _save_changes(row, values, f"topic {row.name or entry.name}", changes)
    _retire_topics(platform, rows, changes)
    return loaded


def _pop_row(rows: dict[str, Topic], entry: TopicEntry) -> Topic | None:
    """Remove the topic's row from `rows` and return it; None if there is none.

    A row under one of its aliases is the same topic before it was renamed, and has its subscribers.
    """
    for name in (entry.name, *entry.aliases):
        if name in rows:
            return rows.pop(name)
    return None


def _retire_topics(platform: Platform, vanished: dict[str, Topic], changes: list[str]) -> None:
    """Delete topics that the file no longer has.

    If the platform has broadcasters they are deprecated instead: someone may want or have had them.
    """
    has_broadcasters = Broadcaster.objects.filter(platform=platform).exists()
    for name, topic in vanished.items():
        if not has_broadcasters:
            topic.delete()
            changes.append(f"topic {name} deleted")
        elif not topic.deprecated:
            topic.deprecated = True
            topic.save(update_fields=["deprecated"])
            changes.append(f"topic {name} deprecated: it is no longer in the file")


def _load_use_cases(
    platform: Platform,
    entries: tuple[UseCaseEntry, ...],
    topics: dict[str, Topic],
    changes: list[str],
) -> None:
    rows = {use_case.name: use_case for use_case in platform.use_cases.all()}
    for position, entry in enumerate(entries):
        row = rows.pop(entry.name, None) or UseCase(platform=platform, name=entry.name)
        label = f"use case {entry.name}"
        use_case = _save_changes(
            row, {"description": entry.description, "position": position}, label, changes
        )
        new_topics = {topics[name].pk for name in entry.topics}
        old_topics = set(use_case.topics.values_list("pk", flat=True))
        if new_topics != old_topics:
            use_case.topics.set(new_topics)
            if old_topics:
                changes.append(f"{label} changed: topics")
    for name, row in rows.items():
        row.delete()
        changes.append(f"use case {name} deleted")


def _save_changes(row: Row, values: dict[str, Any], label: str, changes: list[str]) -> Row:
    """Save `row` with `values` if it is new or differs, and add a line to `changes`."""
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
