"""Makes the body of a platform's requests: its envelope, filled from one event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deliveries.payload.canonical_json import (
    CanonicalText,
    JSONError,
    JSONValue,
    canonical,
    parse_json,
)
from subscriptions.platforms.rules import SPREAD
from subscriptions.strict_json import MAX_NESTING

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BodyRules = tuple[tuple[str, str], ...]


class PayloadError(ValueError):
    """Data that cannot become this platform's body.

    code is data_not_object or field_conflict; pointer (RFC 6901) is relative to the data.
    """

    def __init__(self, detail: str, *, code: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.pointer = pointer


def make_body(
    body: BodyRules,
    *,
    broadcaster_id: int,
    topic: str,
    event_id: str,
    occurred_at: datetime,
    data: Mapping[str, Any],
    data_text: str | None = None,
) -> str:
    """The text that is stored, signed and sent: canonical JSON, fields in the platform's order.

    `body` is PlatformRules.body; `occurred_at` must be aware; `data_text` is canonical(data), if
    the caller has it. If the data is spread over the body, a key of it may repeat a constant field
    only with the same value. Raises PayloadError, and JSONError for data that is no JSON; both with
    a pointer relative to `data`.
    """
    if not isinstance(data, dict):
        raise PayloadError(
            f"The data is of type {type(data).__name__}: give a JSON object.",
            code="data_not_object",
        )
    sources: dict[str, JSONValue] = {
        "broadcaster.id": broadcaster_id,
        "topic": topic,
        "event.id": event_id,
        "data": data,
    }
    constants = _list_constant_fields(body)
    envelope: dict[str, JSONValue] = {}
    for field, source in body:
        if field == SPREAD:
            envelope |= {key: data[key] for key in data if key not in constants}
        elif source in sources:
            envelope[field] = sources[source]
        else:
            envelope[field] = _format_time(source, occurred_at)
    field = _find_data_field(body)
    if field == SPREAD:
        _refuse_conflicts(body, data, envelope)
        return canonical(envelope)
    if data_text is not None:
        envelope[field] = CanonicalText(data_text)
    return _write_envelope(envelope, field)


def read_data(body: BodyRules, body_text: str) -> dict[str, JSONValue]:
    """The event's data, read back from a body that make_body wrote.

    Keys of spread data that repeated a constant field are left out.
    """
    envelope = parse_json(body_text, max_nesting=MAX_NESTING + 1)
    if not isinstance(envelope, dict):
        raise PayloadError("The body is not a JSON object.", code="data_not_object")
    field = _find_data_field(body)
    if field == SPREAD:
        constants = _list_constant_fields(body)
        return {key: value for key, value in envelope.items() if key not in constants}
    data = envelope[field]
    if not isinstance(data, dict):
        raise PayloadError(f"The body's {field} is not a JSON object.", code="data_not_object")
    return data


def _find_data_field(body: BodyRules) -> str:
    return next(field for field, source in body if source == "data")


def _list_constant_fields(body: BodyRules) -> set[str]:
    """The body's fields besides spread data. A key "*" of the data is a key like any other."""
    return {field for field, _ in body if field != SPREAD}


def _write_envelope(envelope: Mapping[str, JSONValue], field: str) -> str:
    try:
        return canonical(envelope, max_nesting=MAX_NESTING + 1)
    except JSONError as error:
        error.pointer = error.pointer.removeprefix(f"/{field}")
        raise


def _refuse_conflicts(
    body: BodyRules, data: Mapping[str, Any], envelope: Mapping[str, JSONValue]
) -> None:
    for field in sorted(_list_constant_fields(body) & data.keys()):
        given, constant = data[field], envelope[field]
        # True == 1 in Python, and is another value in JSON.
        if given != constant or isinstance(given, bool):
            raise PayloadError(
                f"The data's {field} is {repr(given)[:60]}, and this platform puts {constant!r} "
                f"there: leave {field} out of the data.",
                code="field_conflict",
                pointer=f"/{field}",
            )


def _format_time(source: str, moment: datetime) -> str | int:
    if moment.tzinfo is None:
        raise ValueError(f"occurred_at {moment.isoformat()} has no time zone: give an aware time")
    moment = moment.astimezone(UTC)
    match source:
        case "occurred_at.iso_ms":
            return _format_utc(moment, "milliseconds")
        case "occurred_at.iso_ticks":
            # A tick is 100 ns (.NET); a datetime is exact to the microsecond.
            return _format_utc(moment, "microseconds").replace("Z", "0Z")
        case "occurred_at.unix_seconds":
            return (moment - _EPOCH) // timedelta(seconds=1)
    raise ValueError(f"{source!r} is no source of a body field")


def _format_utc(moment: datetime, precision: str) -> str:
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
