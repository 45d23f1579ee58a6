"""What an explanation is made of, and the facts that it is made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from deliveries.diagnosis.invisible_characters import UNSEEN

Who = Literal["you", "receiver's operator", "platform operator", "nobody"]
YOU: Who = "you"
RECEIVER: Who = "receiver's operator"
OPERATOR: Who = "platform operator"
NOBODY: Who = "nobody"

_MAX_SHOWN = 200
_HIDDEN = re.compile(f"[{UNSEEN}\t\r\n]+")


@dataclass(frozen=True, slots=True)
class Explanation:
    """title: what happened; cause: what that means; evidence: (label, value), fit for everyone who
    may see the delivery; who must act; action: what to do."""

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
        """All of it as one plain paragraph."""
        return " ".join(part for part in (f"{self.title}.", self.cause, self.action) if part)


@dataclass(frozen=True)
class Facts:
    """An attempt as its explanation sees it. response_headers: (name, value), as received."""

    failure: str | None
    status_code: int | None
    evidence: Mapping[str, Any]
    platform_title: str
    url: str
    success_codes: frozenset[int] | None
    timeout_seconds: float
    response_body: bytes
    response_headers: tuple[tuple[str, str], ...]

    @cached_property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @cached_property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    @cached_property
    def port(self) -> int:
        return urlsplit(self.url).port or (443 if self.scheme == "https" else 80)

    @cached_property
    def path(self) -> str:
        return shown(urlsplit(self.url).path or "/")

    @cached_property
    def headers(self) -> dict[str, str]:
        """By lower-case name, the last of equal ones."""
        return {name.lower(): value for name, value in self.response_headers}

    @cached_property
    def text(self) -> str:
        return self.response_body.decode("utf-8", "replace")

    @cached_property
    def is_html(self) -> bool:
        kind = self.headers.get("content-type", "").lower()
        start = self.text.lstrip("\ufeff \t\r\n")[:15].lower()
        return "html" in kind or start.startswith(("<!doctype html", "<html"))

    @property
    def success_in_words(self) -> str:
        if self.success_codes is None:
            return "any 2xx status"
        codes = [str(code) for code in sorted(self.success_codes)]
        return f"exactly {codes[0]}" if len(codes) == 1 else f"one of {', '.join(codes)}"

    @property
    def answer_begins(self) -> list[tuple[str, str]]:
        """The start of the receiver's answer, as evidence; nothing for an empty one."""
        words = shown(self.text)
        return [("The answer begins", words)] if words.strip() else []


def shown(text: object, limit: int = _MAX_SHOWN) -> str:
    """Foreign text on one line, shortened, with nothing in it that hides or reorders."""
    clean = _HIDDEN.sub(" ", str(text)[: limit * 4]).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def seconds(value: float) -> str:
    number = f"{value:g}"
    return f"{number} second" if number == "1" else f"{number} seconds"
