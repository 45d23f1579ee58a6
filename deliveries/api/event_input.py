"""Events as publishers send them, read without a serializer, since a publish has to be cheap.

A serializer would cost more than everything else that a publish does in Python, and a batch has up to
a thousand events. EventInput in `bodies` describes the same shape for OpenAPI.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from typing import Any, cast

from deliveries.publishing import MAX_BATCH, NewEvent
from subscriptions.errors import MAX_FAULTS, Refused, SeveralRefused, did_you_mean
from subscriptions.rest.times import parse_time

FIELDS = ("topic", "data", "id", "occurred_at")
MAX_TOPIC_LENGTH = 100
MAX_KEY_LENGTH = 240
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


def read_event(body: object, *, key: str | None = None) -> NewEvent:
    """The event in a body. Raises SeveralRefused with a pointer to each fault."""
    faults: list[Refused] = []
    event = _read_event(body, "", key, faults)
    if event is None:
        raise SeveralRefused(faults)
    return event


def read_batch(body: object, *, key: str | None = None) -> list[NewEvent]:
    """The events of a batch; an idempotency key of the batch gives each event one of its own."""
    if not isinstance(body, dict):
        raise Refused('Send an object: {"events": [...]}.', code="invalid")
    faults = _refuse_unknown_names(body, "", ("events",))
    items = body.get("events")
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
        found = f"are {len(items)} events" if isinstance(items, list) else "is no list of events"
        faults.append(
            Refused(
                f"There {found}: a batch has a list of 1 to {MAX_BATCH:,}.",
                code="batch_size",
                pointer="/events",
            )
        )
        raise SeveralRefused(faults)
    events = []
    for index, item in enumerate(items):
        events.append(
            _read_event(item, f"/events/{index}", f"{key}/{index}" if key else None, faults)
        )
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise SeveralRefused(faults)
    return [event for event in events if event is not None]


def read_key(header: str | None) -> str | None:
    """The Idempotency-Key. Raises Refused for one that cannot be kept as it is."""
    if header is None:
        return None
    if len(header) > MAX_KEY_LENGTH or not _KEY.fullmatch(header):
        raise Refused(
            f"The Idempotency-Key is not 1 to {MAX_KEY_LENGTH} printable ASCII characters: make "
            "one of letters and digits.",
            code="invalid_idempotency_key",
        )
    return header


def read_test(body: object) -> tuple[str | None, dict[str, Any] | None]:
    """The topic and data of a test; None for what is left out. Raises SeveralRefused."""
    if not isinstance(body, dict):
        raise Refused('Send an object: {"topic": ..., "data": {...}}.', code="invalid")
    faults = _refuse_unknown_names(body, "", FIELDS[:2])
    topic, data = body.get("topic"), body.get("data")
    if topic is not None and not _is_topic(topic):
        faults.append(_refuse("topic", True, "a topic's name", ""))
    if data is not None and not isinstance(data, dict):
        faults.append(_refuse("data", True, "a JSON object", ""))
    if faults:
        raise SeveralRefused(faults)
    return topic, data


def _is_topic(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TOPIC_LENGTH and "\0" not in value


def _read_event(body: object, at: str, key: str | None, faults: list[Refused]) -> NewEvent | None:
    """The event, or None and the reasons in `faults`."""
    if not isinstance(body, dict):
        faults.append(Refused("An event is an object.", code="invalid", pointer=at))
        return None
    before = len(faults)
    faults += _refuse_unknown_names(body, at, FIELDS)
    topic, data, event_id = body.get("topic"), body.get("data"), body.get("id")
    if not _is_topic(topic):
        faults.append(_refuse("topic", "topic" in body, "a topic's name", at))
    if not isinstance(data, dict):
        faults.append(_refuse("data", "data" in body, "a JSON object", at))
    if event_id is not None and not isinstance(event_id, str):
        faults.append(_refuse("id", True, "a string of 1 to 64 letters, digits, '_' and '-'", at))
    occurred_at = _read_time(body.get("occurred_at"), at, faults)
    if len(faults) > before:
        return None
    return NewEvent(cast(str, topic), cast("dict[str, Any]", data), event_id, occurred_at, key)


def _read_time(value: object, at: str, faults: list[Refused]) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        faults.append(_refuse("occurred_at", True, "a time as ISO 8601 has it", at))
        return None
    try:
        return parse_time(value)
    except ValueError as error:
        faults.append(Refused(str(error), code="invalid_time", pointer=f"{at}/occurred_at"))
        return None


def _refuse(name: str, given: bool, needed: str, at: str) -> Refused:
    words = f"The {name} is not {needed}." if given else f"The {name} is missing: {needed}."
    return Refused(words, code="invalid" if given else "required", pointer=f"{at}/{name}")


def _refuse_unknown_names(body: dict[str, Any], at: str, known: tuple[str, ...]) -> list[Refused]:
    names = (name for name in body if name not in known)
    return [
        _refuse_unknown(name, f"{at}/{_escape(name)}", known) for name in islice(names, MAX_FAULTS)
    ]


def _refuse_unknown(name: str, pointer: str, known: tuple[str, ...]) -> Refused:
    hint = did_you_mean(name[:60], known) or ": leave it out."
    return Refused(
        f"There is no field {name[:60]!r} here{hint}", code="unknown_field", pointer=pointer
    )


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
