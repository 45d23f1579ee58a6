"""The attempt log holds what it was given, whichever way the store writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, connection, transaction

from deliveries.dispatch.store import current_store
from deliveries.dispatch.store.attempt_log import ATTEMPT_COLUMNS
from deliveries.dispatch.store.records import AttemptRecord, Claim, Settled
from deliveries.models import Attempt, Delivery, DeliveryStatus
from tests.deliveries.sending import broadcaster_on, endpoint_at, publish_one

pytestmark = pytest.mark.django_db

SENT = datetime(2026, 11, 21, 20, 1, 9, 913526, tzinfo=UTC)
FULL = AttemptRecord(
    id=UUID("01a1ffb2-cb32-7b9f-bd8e-088b2cf84b06"),
    number=7,
    trigger="retry",
    outcome="failed",
    failure="http_5xx",
    retry_reason="Attempt 6 answered HTTP 503.",
    sent_at=SENT,
    responded_at=SENT + timedelta(microseconds=42_001),
    duration_ms=42.001,
    dns_ms=0.1,
    connect_ms=8.5,
    tls_ms=20.25,
    first_byte_ms=13.0,
    remote_address="2001:db8::7",
    request_url="https://kunde.example/häkchen?a=\t1",
    request_headers=(("Content-Type", "application/json"), ("X-Own", 'quote " and \\')),
    status_code=503,
    response_headers=(("Server", "caf\xe9"), ("X-Twice", "1"), ("X-Twice", "2")),
    response_body=b"\x00\xff\\N\r\n",
    response_truncated=True,
    evidence={"phase": "read", "tried": ["192.0.2.1"], "umlaut": "ü"},
)
BARE = AttemptRecord(
    id=UUID(int=1),
    number=1,
    trigger="publish",
    outcome="unknown",
    failure="",
    retry_reason="",
    sent_at=datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
)


@pytest.fixture
def claim() -> Claim:
    broadcaster = broadcaster_on("cryptlex").broadcaster
    endpoint_at("https://customer.example/hook", broadcaster)
    publish_one(broadcaster)
    return Claim.of(Delivery.objects.select_related("endpoint__broadcaster__platform").get())


def settled(claim: Claim, attempt: AttemptRecord, next_attempt_at: datetime | None) -> Settled:
    return Settled(claim, attempt, DeliveryStatus.PENDING, "", next_attempt_at, 1)


def stored(attempt: Attempt) -> dict[str, Any]:
    """The columns as the record of an attempt has them."""
    row = {name: getattr(attempt, name) for name in AttemptRecord._fields}
    for name in ("request_headers", "response_headers"):
        row[name] = tuple(map(tuple, row[name]))
    return row | {"response_body": bytes(attempt.response_body)}


@pytest.mark.parametrize("record", [FULL, BARE])
def test_every_column_comes_back_as_it_was(claim: Claim, record: AttemptRecord) -> None:
    planned = SENT + timedelta(hours=1) if record is FULL else None

    current_store().insert_attempts([settled(claim, record, planned)])

    row = Attempt.objects.get()
    assert stored(row) == record._asdict()
    assert row.next_attempt_at == planned
    assert row.delivery_id == claim.delivery_id
    assert (row.broadcaster_id, row.endpoint_id) == (claim.broadcaster_id, claim.endpoint_id)
    assert (row.topic, row.test) == (claim.topic, claim.test)


def test_rows_of_a_batch_stay_apart(claim: Claim) -> None:
    current_store().insert_attempts([settled(claim, record, None) for record in (FULL, BARE)])
    assert [stored(row) for row in Attempt.objects.order_by("number")] == [
        BARE._asdict(),
        FULL._asdict(),
    ]


def test_a_long_batch_arrives_whole(claim: Claim) -> None:
    bodies = {UUID(int=n): bytes([n]) * 1000 for n in range(250)}
    current_store().insert_attempts(
        [settled(claim, FULL._replace(id=pk, response_body=b), None) for pk, b in bodies.items()]
    )
    assert {row.pk: bytes(row.response_body) for row in Attempt.objects.all()} == bodies


def test_nul_becomes_the_replacement_character_in_headers_and_evidence(claim: Claim) -> None:
    record = FULL._replace(
        response_headers=(("X-Nul", "a\0b"),), evidence={"message": "c\0d", "tried": ["\0"]}
    )
    current_store().insert_attempts([settled(claim, record, None)])
    row = Attempt.objects.get()
    assert row.response_headers == [["X-Nul", "a\ufffdb"]]
    assert row.evidence == {"message": "c\ufffdd", "tried": ["\ufffd"]}


@pytest.mark.parametrize(
    "changed", [{"remote_address": "x" * 65}, {"request_url": "nul \0"}, {"failure": "f" * 25}]
)
def test_what_a_column_cannot_hold_is_a_data_error(claim: Claim, changed: dict[str, Any]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only on PostgreSQL: SQLite takes any length")
    with pytest.raises(DataError), transaction.atomic():
        current_store().insert_attempts([settled(claim, FULL._replace(**changed), None)])


def test_the_declared_columns_are_those_of_the_model() -> None:
    declared = {column.name for column in ATTEMPT_COLUMNS}
    assert len(declared) == len(ATTEMPT_COLUMNS)
    assert declared == {field.column for field in Attempt._meta.concrete_fields}
    nullable = {field.column for field in Attempt._meta.concrete_fields if field.null}
    assert {column.name for column in ATTEMPT_COLUMNS if column.kind.endswith("?")} == nullable
