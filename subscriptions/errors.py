"""The errors that verbs raise, and that views and the API turn into responses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PortalError(Exception):
    """Something the caller asked for was refused.

    detail: what was wrong, with the value, and the way out. code: stable, machine-readable.
    pointer: RFC 6901 pointer to the offending field of the input, or "".
    """

    def __init__(self, detail: str, *, code: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.pointer = pointer


class Refused(PortalError):
    """Well-formed input that breaks a rule (HTTP 422)."""


class Conflict(PortalError):
    """The current state does not allow it: a limit is reached, or it has changed (HTTP 409)."""


class NotFound(PortalError):
    """The broadcaster has no such thing; raised for one of another broadcaster too (HTTP 404)."""


class RateExceeded(PortalError):
    """Too much at once; the caller may try again after `retry_after_seconds` (HTTP 429)."""

    def __init__(self, detail: str, *, code: str, retry_after_seconds: int) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


# At most so many faults of one input are explained: a body full of unknown fields would keep a
# process busy for seconds.
MAX_FAULTS = 100


class SeveralRefused(PortalError):
    """Several faults in the same input, about MAX_FAULTS at most."""

    def __init__(self, faults: list[Refused]) -> None:
        super().__init__(faults[0].detail, code=faults[0].code, pointer=faults[0].pointer)
        self.faults = faults


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error's sentence: `: did you mean X?` for the nearest of `known`, or "".

    Upper and lower case count as alike.
    """
    by_folded = {item.casefold(): item for item in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f": did you mean {by_folded[near[0]]}?" if near else ""
