"""Identifiers: public ids for the API and URLs, and time-ordered UUIDs for large tables."""

from __future__ import annotations

import os
import secrets
import struct
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}

# Random words fetched in advance: a system call for each id would be a third of its cost.
_random_words: list[int] = []
_WORDS = struct.Struct("512Q")
os.register_at_fork(after_in_child=_random_words.clear)


def encode_base32(number: int, length: int) -> str:
    """The number in base 32, padded to `length` characters so that texts sort as numbers do."""
    pairs = [_PAIRS[number >> shift & 1023] for shift in range((length - 1) // 2 * 10, -1, -10)]
    return "".join(pairs)[-length:]


def new_public_id(prefix: str) -> str:
    """An unguessable id of 100 random bits: nothing can be inferred from it."""
    return f"{prefix}_{encode_base32(secrets.randbits(100), 20)}"


def uuid7() -> UUID:
    """A new UUID of RFC 9562 version 7: 48 bits of Unix milliseconds, then randomness.

    The 12 bits after the version hold the fraction of the millisecond, so that ids made by one
    process sort in the order they were made.
    """
    return uuid7_at(time.time_ns())


def uuid7_at(nanoseconds: int) -> UUID:
    """A version 7 UUID for the given time, in Unix nanoseconds."""
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    tail = _next_random_word() & 0x3FFF_FFFF_FFFF_FFFF
    fraction = (rest << 12) // 1_000_000
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | tail)


def first_uuid7(moment: datetime) -> UUID:
    """The least version 7 UUID of a time. Raises ValueError for one before 1970."""
    return UUID(int=int(moment.timestamp() * 1_000) << 80)


def uuid7_time(value: UUID) -> datetime:
    """The time in a version 7 UUID, to the millisecond."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value.int >> 80)


def _next_random_word() -> int:
    """64 random bits. `pop` is atomic, so no two threads get the same ones."""
    while True:
        try:
            return _random_words.pop()
        except IndexError:
            _random_words.extend(_WORDS.unpack(os.urandom(_WORDS.size)))


def uuid_to_public(prefix: str, value: UUID) -> str:
    """The public id of a row whose key is this UUID: the prefix, `_` and 26 characters."""
    return f"{prefix}_{encode_base32(value.int, 26)}"


def public_to_uuid(prefix: str, text: str) -> UUID | None:
    """The UUID in a public id; None if the text is not such an id."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != 26:
        return None
    number = 0
    for letter in tail:
        value = _VALUES.get(letter)
        if value is None:
            return None
        number = number << 5 | value
    return UUID(int=number) if number < 1 << 128 else None
