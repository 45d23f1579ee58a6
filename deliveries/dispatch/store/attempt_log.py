"""Writing the attempt log: a row for each outcome, by binary COPY where there is PostgreSQL.

The log is the widest table: to make a text of each value here, and read it again in the database,
is work that binary values spare both. The format: PostgreSQL's manual, COPY, "Binary
Format".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from django.db import connection

from deliveries.dispatch.outcomes import Settled
from deliveries.dispatch.store.rows import sqlite_rows

_COLUMNS = (
    "id", "delivery_id", "broadcaster_id", "endpoint_id", "number", "test", "response_truncated",
    "sent_at", "responded_at", "next_attempt_at", "duration_ms", "dns_ms", "connect_ms", "tls_ms",
    "first_byte_ms", "status_code", "topic", "trigger", "outcome", "failure", "retry_reason",
    "remote_address", "request_url", "request_headers", "response_headers", "evidence",
    "response_body",
)  # fmt: skip
_QUOTED = ", ".join(f'"{column}"' for column in _COLUMNS)
_COPY = f"COPY deliveries_attempt ({_QUOTED}) FROM STDIN (FORMAT BINARY)"
_INSERT = f"INSERT INTO deliveries_attempt ({_QUOTED}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})"  # noqa: S608  constants of this module  # nosec B608

# A row is as large as what its receiver answered.
_ROWS_AT_ONCE = 100
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
# How many values the row has; then each value after its length in bytes. First those that no row
# is without, as far as sent_at.
_FIRST = struct.Struct(">h i16s i16s iq iq ii i? i? iq")
_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i")
_SMALLINT = struct.Struct(">ih")
_BIGINT = struct.Struct(">iq")
_DOUBLE = struct.Struct(">id")
_JSONB = struct.Struct(">ib")
_JSONB_VERSION = 1
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # of PostgreSQL's moments


def insert_attempts(outcomes: Sequence[Settled]) -> None:
    """Raises Django's database errors; DataError for what a column cannot hold."""
    if connection.vendor == "postgresql":
        with (
            # Django's own wrapping leaves COPY out.
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(_COPY) as copy,
        ):
            copy.write(_HEAD)
            for start in range(0, len(outcomes), _ROWS_AT_ONCE):
                rows = map(_binary_row, outcomes[start : start + _ROWS_AT_ONCE])
                copy.write(b"".join(rows))
            copy.write(_END)
        return
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, list(sqlite_rows(map(_sqlite_row, outcomes))))


def _binary_row(settled: Settled) -> bytes:
    claim = settled.claim
    (
        attempt_id, number, trigger, outcome, failure, retry_reason, sent_at, responded_at,
        duration_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, remote_address, request_url,
        request_headers, status_code, response_headers, response_body, is_truncated, evidence,
    ) = settled.attempt  # fmt: skip
    return b"".join(
        (
            _FIRST.pack(
                len(_COLUMNS), 16, attempt_id.bytes, 16, claim.delivery_id.bytes,
                8, claim.broadcaster_id, 8, claim.endpoint_id, 4, number, 1, claim.test,
                1, is_truncated, 8, _microseconds(sent_at),
            ),
            _moment(responded_at),
            _moment(settled.next_attempt_at),
            _NULL if duration_ms is None else _DOUBLE.pack(8, duration_ms),
            _NULL if dns_ms is None else _DOUBLE.pack(8, dns_ms),
            _NULL if connect_ms is None else _DOUBLE.pack(8, connect_ms),
            _NULL if tls_ms is None else _DOUBLE.pack(8, tls_ms),
            _NULL if first_byte_ms is None else _DOUBLE.pack(8, first_byte_ms),
            _NULL if status_code is None else _SMALLINT.pack(2, status_code),
            _text(claim.topic),
            _text(trigger),
            _text(outcome),
            _text(failure),
            _text(retry_reason),
            _text(remote_address),
            _text(request_url),
            _jsonb(_headers_json(request_headers)),
            _jsonb(_headers_json(response_headers)),
            _jsonb(_json(evidence)) if evidence else _NO_EVIDENCE,
            _LENGTH.pack(len(response_body)),
            response_body,
        )
    )  # fmt: skip


def _microseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(moment: datetime | None) -> bytes:
    return _NULL if moment is None else _BIGINT.pack(8, _microseconds(moment))


# The same few in most rows of a batch.
@lru_cache(maxsize=1024)
def _text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _jsonb(text: str) -> bytes:
    encoded = text.encode()
    return _JSONB.pack(len(encoded) + 1, _JSONB_VERSION) + encoded


_NO_EVIDENCE = _jsonb("{}")


def _sqlite_row(settled: Settled) -> tuple[Any, ...]:
    claim, attempt = settled.claim, settled.attempt
    return (
        attempt.id,
        claim.delivery_id,
        claim.broadcaster_id,
        claim.endpoint_id,
        attempt.number,
        claim.test,
        attempt.response_truncated,
        attempt.sent_at,
        attempt.responded_at,
        settled.next_attempt_at,
        attempt.duration_ms,
        attempt.dns_ms,
        attempt.connect_ms,
        attempt.tls_ms,
        attempt.first_byte_ms,
        attempt.status_code,
        claim.topic,
        attempt.trigger,
        attempt.outcome,
        attempt.failure,
        attempt.retry_reason,
        attempt.remote_address,
        attempt.request_url,
        _headers_json(attempt.request_headers),
        _headers_json(attempt.response_headers),
        _json(attempt.evidence) if attempt.evidence else "{}",
        attempt.response_body,
    )


def _json(value: Any) -> str:
    """JSON text; U+0000, which PostgreSQL's jsonb cannot hold, as the replacement character."""
    text = json.dumps(value)
    return json.dumps(_without_nul(value)) if "\\u0000" in text else text


def _headers_json(headers: tuple[tuple[str, str], ...]) -> str:
    """As _json, at a third of the price."""
    pairs = [
        f"[{encode_basestring_ascii(name)}, {encode_basestring_ascii(value)}]"
        for name, value in headers
    ]
    text = f"[{', '.join(pairs)}]"
    return _json(headers) if "\\u0000" in text else text


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(item) for item in value]
    return value
