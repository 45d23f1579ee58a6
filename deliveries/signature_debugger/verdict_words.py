"""What a verdict of the signature debugger is made of."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """`family` is the kind of fix: raw-body, header, form, hash, message, secret, compare, clock
    or "". Who must act follows from it, and from whose mistake it is."""

    title: str
    cause: str
    action: str
    family: str
