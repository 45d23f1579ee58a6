"""The columns of the attempt log, declared once; both stores' ways of writing a row follow from it.

A new column takes its field in `deliveries.models.attempt` with a migration, its value in
`records.AttemptRecord` (filled by `dispatch.outcomes`), and a line in ATTEMPT_COLUMNS.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from deliveries.dispatch.store.records import AttemptRecord, Settled


class AttemptColumn(NamedTuple):
    """A column, its type, and where its value is: `claim.…`, `settled.…`, else of the record."""

    name: str
    kind: str
    source: str


def _columns(text: str) -> tuple[AttemptColumn, ...]:
    return tuple(AttemptColumn(*line.split()) for line in text.strip().splitlines())


# A kind with "?" may be NULL. Columns of one size that are never NULL come first: `struct` packs
# neighbours of that sort in one step.
ATTEMPT_COLUMNS = _columns(
    """
    id                  uuid          id
    delivery_id         uuid          claim.delivery_id
    broadcaster_id      bigint        claim.broadcaster_id
    endpoint_id         bigint        claim.endpoint_id
    number              int           number
    test                bool          claim.test
    response_truncated  bool          response_truncated
    sent_at             timestamptz   sent_at
    responded_at        timestamptz?  responded_at
    next_attempt_at     timestamptz?  settled.next_attempt_at
    duration_ms         double?       duration_ms
    dns_ms              double?       dns_ms
    connect_ms          double?       connect_ms
    tls_ms              double?       tls_ms
    first_byte_ms       double?       first_byte_ms
    status_code         smallint?     status_code
    topic               text          claim.topic
    trigger             text          trigger
    outcome             text          outcome
    failure             text          failure
    retry_reason        text          retry_reason
    remote_address      text          remote_address
    request_url         text          request_url
    request_headers     headers       request_headers
    response_headers    headers       response_headers
    evidence            json          evidence
    response_body       bytea         response_body
    """
)

_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i")
_JSON_HEAD = struct.Struct(">ib")  # the length, and the version of jsonb
_JSONB_VERSION = 1
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL counts moments from here


def _microseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


# Most rows of a batch have the same few texts.
@lru_cache(maxsize=1024)
def _binary_text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _binary_json(text: str) -> bytes:
    encoded = text.encode()
    return _JSON_HEAD.pack(len(encoded) + 1, _JSONB_VERSION) + encoded


_NO_EVIDENCE = _binary_json("{}")


def _json_text(value: Any) -> str:
    """JSON text; U+0000, which PostgreSQL's jsonb cannot hold, becomes the replacement character."""
    if not value:
        return "{}"
    text = json.dumps(value)
    return json.dumps(_without_nul(value)) if "\\u0000" in text else text


def _headers_text(headers: tuple[tuple[str, str], ...]) -> str:
    """The same text as json.dumps gives, in a third of its time."""
    pairs = [
        f"[{encode_basestring_ascii(name)}, {encode_basestring_ascii(value)}]"
        for name, value in headers
    ]
    text = f"[{', '.join(pairs)}]"
    return json.dumps(_without_nul(headers)) if "\\u0000" in text else text


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(item) for item in value]
    return value


# By kind: the struct's format of length and value, and the value's expression.
_PACKED = {
    "uuid": ("i16s", 16, "{}.bytes"),
    "bigint": ("iq", 8, "{}"),
    "int": ("ii", 4, "{}"),
    "smallint": ("ih", 2, "{}"),
    "bool": ("i?", 1, "{}"),
    "double": ("id", 8, "{}"),
    "timestamptz": ("iq", 8, "_microseconds({})"),
}
# By kind: the expression of the bytes, length included.
_WRITTEN = {
    "text": "_binary_text({})",
    "headers": "_binary_json(_headers_text({}))",
    "json": "_binary_json(_json_text({0})) if {0} else _NO_EVIDENCE",
    "bytea": "_LENGTH.pack(len({0})), {0}",
}
_TEXTS = {"headers": "_headers_text({})", "json": "_json_text({})"}


def _compiled(name: str, body: str, names: dict[str, Any]) -> Callable[[Settled], Any]:
    """A function of an outcome, whose record's values are local names in it.

    Compiled from the declaration as dataclasses are: a loop over columns would take each delivery
    twice as long.
    """
    text = (
        f"def {name}(settled):\n"
        "    claim = settled.claim\n"
        f"    {', '.join(AttemptRecord._fields)}, = settled.attempt\n"
        f"    return {body}\n"
    )
    namespace = globals() | names
    exec(text, namespace)  # noqa: S102 - the text is made of the declaration above alone
    function: Callable[[Settled], Any] = namespace[name]
    return function


def _binary_row_writer() -> Callable[[Settled], bytes]:
    """A row in COPY's binary format: the number of values, then each after its length."""
    names: dict[str, Any] = {}
    parts = []
    first = f"{len(ATTEMPT_COLUMNS)}, "
    for is_packed, group in groupby(ATTEMPT_COLUMNS, lambda column: column.kind in _PACKED):
        columns = list(group)
        if is_packed:
            pack = f"_pack_{columns[0].name}"
            formats = "".join(_PACKED[column.kind][0] for column in columns)
            names[pack] = struct.Struct(f">{'h' if first else ''}{formats}").pack
            values = ", ".join(
                f"{_PACKED[column.kind][1]}, {_PACKED[column.kind][2].format(column.source)}"
                for column in columns
            )
            parts.append(f"{pack}({first}{values})")
            first = ""
            continue
        for column in columns:
            if column.kind.endswith("?"):
                kind, size, value = _PACKED[column.kind.removesuffix("?")]
                pack = f"_pack_{column.name}"
                names[pack] = struct.Struct(f">{kind}").pack
                value = value.format(column.source)
                parts.append(f"_NULL if {column.source} is None else {pack}({size}, {value})")
            else:
                parts.append(_WRITTEN[column.kind].format(column.source))
    return _compiled("binary_row", f"b''.join(({', '.join(parts)},))", names)


def _text_row_writer() -> Callable[[Settled], tuple[Any, ...]]:
    """A row's values for a statement's parameters, JSON as text."""
    values = (_TEXTS.get(column.kind, "{}").format(column.source) for column in ATTEMPT_COLUMNS)
    return _compiled("text_row", f"({', '.join(values)},)", {})


binary_row = _binary_row_writer()
text_row = _text_row_writer()
