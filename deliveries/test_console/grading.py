"""Grades for receivers: whether they did the right thing with an unusual test request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deliveries.diagnosis import failure_name
from deliveries.models.variant import VariantKind


@dataclass(frozen=True, slots=True)
class ResponseSummary:
    """What came back. failure: a value of Failure, "" if the request was accepted.

    status_code: None if there was no response.
    """

    failure: str
    status_code: int | None

    @property
    def is_accepted(self) -> bool:
        return not self.failure

    @property
    def words(self) -> str:
        if self.status_code is not None:
            return f"HTTP {self.status_code}"
        return failure_name(self.failure).lower() if self.failure else "no answer"


@dataclass(frozen=True, slots=True)
class Grade:
    """state: "right", "wrong", or "open" if the responses do not show which."""

    state: Literal["right", "wrong", "open"]
    words: str

    @property
    def heading(self) -> str:
        return _HEADINGS[self.state]


_HEADINGS = {"right": "Right", "wrong": "Not right", "open": "Not shown"}
# What to say of a request that was rightly accepted.
_ACCEPTED = {
    VariantKind.DUPLICATE: "It was accepted again. That you acted on it only once is yours to "
    "check: remember the ids of what you have handled.",
    VariantKind.OUT_OF_ORDER: "It was accepted. That the older event left the newer state alone is "
    "yours to check: compare the time in the body with the one you have.",
    VariantKind.LARGE_BODY: "It was accepted: your receiver takes the largest body there is.",
}
# What is wrong with a receiver that accepts a forgery.
_FORGED = {
    VariantKind.BAD_SIGNATURE: "your receiver does not check signatures, so anyone who knows its "
    "URL can write to it. The code that checks is on the Token page.",
    VariantKind.OLD_TIMESTAMP: "your receiver does not check webhook-timestamp, so a recorded "
    "request can be played again. Refuse one that is more than five minutes off.",
}
# What is wrong with a receiver that refuses a genuine request.
_REFUSED = {
    VariantKind.DUPLICATE: "a duplicate that is refused is sent again and again. Answer 2xx for "
    "one that you have had.",
    VariantKind.OUT_OF_ORDER: "an event that is refused is sent again and again. Answer 2xx and "
    "leave the newer state as it is.",
    VariantKind.LARGE_BODY: "raise the size that your server takes to 256 KiB or more.",
}


def grade_rehearsal(response: ResponseSummary, hint: str) -> Grade:
    """Grade the response to a request that was signed with the new token alone.

    hint: the last four characters of that token.
    """
    code = response.status_code
    if response.is_accepted:
        return Grade(
            "right",
            f"A request signed with …{hint} alone was accepted: the old token can end.",
        )
    if code in (400, 401, 403):
        return Grade(
            "wrong",
            f"A request signed with …{hint} alone was refused with {response.words}: your receiver "
            "does not know the new token yet. Give it the new one before the old one ends.",
        )
    return Grade(
        "open",
        f"{response.words}: this does not show whether the new token is known. Repair that, and "
        "rehearse again.",
    )


def grade_fault(
    kind: str, usual: ResponseSummary, response: ResponseSummary, *, own_header: str = ""
) -> Grade:
    """Grade the response to a fault of this kind, beside the response to the usual request.

    own_header: the platform's own signature header if it goes beside those of Standard Webhooks.
    """
    if not usual.is_accepted:
        return Grade(
            "open",
            f"The usual request was not accepted either ({usual.words}), so this shows nothing: "
            "repair that first.",
        )
    if kind in _FORGED:
        return _should_refuse(kind, response, own_header)
    return _should_accept(kind, response)


def _should_accept(kind: str, response: ResponseSummary) -> Grade:
    if response.is_accepted:
        return Grade("right", _ACCEPTED[VariantKind(kind)])
    if response.status_code is None or response.status_code == 429:
        return _show_nothing(response)
    return Grade("wrong", f"Answered {response.words}: {_REFUSED[VariantKind(kind)]}")


def _should_refuse(kind: str, response: ResponseSummary, own_header: str) -> Grade:
    code = response.status_code
    if code is None or code == 429:
        return _show_nothing(response)
    if response.is_accepted or 200 <= code < 300:
        words = _FORGED[VariantKind(kind)]
        if own_header and kind == VariantKind.OLD_TIMESTAMP:
            words += f" {own_header} alone carries no time: check webhook-signature."
        return Grade("wrong", f"Accepted with {response.words}: {words}")
    if code == 410:
        return Grade(
            "wrong",
            "Refused with HTTP 410, which says that you want no events at all: the webhook would "
            "be suspended. Answer 400 or 401.",
        )
    if 400 <= code < 500:
        return Grade("right", f"Refused with {response.words}.")
    return Grade(
        "wrong",
        f"Answered {response.words}: that is no refusal, and a request so answered is sent again. "
        "Answer 400 or 401.",
    )


def _show_nothing(response: ResponseSummary) -> Grade:
    return Grade("open", f"{response.words.capitalize()}: this shows nothing. Send it again.")
