"""UUIDs of version 7: what they are made of, and that no two processes make the same."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from subscriptions.identifiers import first_uuid7, uuid7, uuid7_at, uuid7_time

RANDOM_BITS = (1 << 62) - 1


def test_a_uuid_holds_its_time_and_sorts_by_it() -> None:
    now = time.time_ns()
    made = uuid7_at(now)
    assert (made.version, made.int >> 80) == (7, now // 1_000_000)
    assert uuid7_at(now) < uuid7_at(now + 1_000) < uuid7_at(now + 1_000_000)


def test_the_time_in_a_uuid_can_be_read_and_the_least_uuid_of_a_time_be_made() -> None:
    moment = datetime(2024, 3, 4, 9, 50, 51, 375_000, tzinfo=UTC)
    nanoseconds = int(moment.timestamp() * 1_000) * 1_000_000
    assert uuid7_time(uuid7_at(nanoseconds)) == moment
    before = uuid7_at(nanoseconds - 1)
    assert before < first_uuid7(moment) < uuid7_at(nanoseconds)
    assert uuid7_time(first_uuid7(moment)) == moment
    with pytest.raises(ValueError, match="out of range"):
        first_uuid7(datetime.fromtimestamp(0, UTC) - timedelta(seconds=1))


def test_uuids_of_the_same_time_differ() -> None:
    assert len({uuid7_at(1) for _ in range(5_000)}) == 5_000


def test_a_forked_process_has_other_random_words_than_its_parent() -> None:
    uuid7()  # some is in hand
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(uuid7_at(1).bytes for _ in range(600)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    tails = {int.from_bytes(theirs[n : n + 16]) & RANDOM_BITS for n in range(0, len(theirs), 16)}
    ours = {uuid7_at(1).int & RANDOM_BITS for _ in range(600)}
    assert len(tails) == len(ours) == 600
    assert not tails & ours
