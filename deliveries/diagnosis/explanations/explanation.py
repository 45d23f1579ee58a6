"""The explanation of an attempt: what it is made of, and who must act."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from deliveries.diagnosis.invisible_characters import INVISIBLE_CHARACTERS

Who = Literal["you", "receiver's operator", "platform operator", "nobody"]
YOU: Who = "you"
RECEIVER: Who = "receiver's operator"
OPERATOR: Who = "platform operator"
NOBODY: Who = "nobody"

_MAX_CHARACTERS = 200
_NOT_PRINTABLE = re.compile(f"[{INVISIBLE_CHARACTERS}\t\r\n]+")


@dataclass(frozen=True, slots=True)
class Explanation:
    """An attempt in plain words, fit for everyone who may see the delivery.

    title: what happened; cause: what that means; who must act; action: what to do; evidence:
    pairs of a label and a value.
    """

    title: str
    cause: str
    who: Who
    action: str
    evidence: list[tuple[str, str]] = field(default_factory=list)

    @property
    def actor(self) -> str:
        """Who must act, as it stands in a sentence; "" if nobody must."""
        if self.who == NOBODY:
            return ""
        return self.who if self.who == YOU else f"the {self.who}"

    @property
    def text(self) -> str:
        """Title, cause and action as one plain paragraph."""
        return " ".join(part for part in (f"{self.title}.", self.cause, self.action) if part)


def clean_line(text: object, max_characters: int = _MAX_CHARACTERS) -> str:
    """Foreign text on one line, shortened, without characters that hide or reorder text."""
    clean = _NOT_PRINTABLE.sub(" ", str(text)[: max_characters * 4]).strip()
    return clean if len(clean) <= max_characters else clean[: max_characters - 1] + "…"
