"""The facts of an attempt from which its explanation is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from deliveries.diagnosis.explanations.explanation import clean_line


@dataclass(frozen=True)
class AttemptFacts:
    """What is known of an attempt: its explanation is made of this alone.

    failure: a value of Failure, None for a success. evidence: as the verdict has it.
    success_codes: the statuses that the platform counts, None for any 2xx. response_headers:
    (name, value), as received.
    """

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
        """The URL's path, fit to be shown."""
        return clean_line(urlsplit(self.url).path or "/")

    @cached_property
    def headers(self) -> dict[str, str]:
        """The response's headers by lower-case name, the last of equal ones."""
        return {name.lower(): value for name, value in self.response_headers}

    @cached_property
    def response_text(self) -> str:
        return self.response_body.decode("utf-8", "replace")

    @cached_property
    def is_html(self) -> bool:
        content_type = self.headers.get("content-type", "").lower()
        start = self.response_text.lstrip("\ufeff \t\r\n")[:15].lower()
        return "html" in content_type or start.startswith(("<!doctype html", "<html"))

    @property
    def success_in_words(self) -> str:
        if self.success_codes is None:
            return "any 2xx status"
        codes = [str(code) for code in sorted(self.success_codes)]
        return f"exactly {codes[0]}" if len(codes) == 1 else f"one of {', '.join(codes)}"

    @property
    def answer_excerpt(self) -> list[tuple[str, str]]:
        """The start of the receiver's answer, as evidence; nothing for an empty one."""
        words = clean_line(self.response_text)
        return [("The answer begins", words)] if words.strip() else []
