"""Whether a receiver did the right thing with a test request that was unusual. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deliveries.diagnosis.failure import failure_name
from deliveries.models.variant import VariantKind


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: `failure` is a class of failure, "" where it was accepted."""

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
class Verdict:
    """`state`: "right", "wrong", or "open" where the answers do not show it."""

    state: Literal["right", "wrong", "open"]
    words: str

    @property
    def heading(self) -> str:
        return _HEADINGS[self.state]


_HEADINGS = {"right": "Right", "wrong": "Not right", "open": "Not shown"}


_ACCEPTED = {
    VariantKind.DUPLICATE: "It was accepted again. That you acted on it only once is yours to "
    "check: remember the ids of what you have handled.",
    VariantKind.OUT_OF_ORDER: "It was accepted. That the older event left the newer state alone is "
    "yours to check: compare the time in the body with the one you have.",
    VariantKind.LARGE_BODY: "It was accepted: your receiver takes the largest body there is.",
}
_FORGED = {
    VariantKind.BAD_SIGNATURE: "your receiver does not check signatures, so anyone who knows its "
    "URL can write to it. The code that checks is on the Token page.",
    VariantKind.OLD_TIMESTAMP: "your receiver does not check webhook-timestamp, so a recorded "
    "request can be played again. Refuse one that is more than five minutes off.",
}
_REFUSED = {
    VariantKind.DUPLICATE: "a duplicate that is refused is sent again and again. Answer 2xx for "
    "one that you have had.",
    VariantKind.OUT_OF_ORDER: "an event that is refused is sent again and again. Answer 2xx and "
    "leave the newer state as it is.",
    VariantKind.LARGE_BODY: "raise the size that your server takes to 256 KiB or more.",
}


def judge_rehearsal(answer: Answer, hint: str) -> Verdict:
    """Of a request signed with the new token alone; `hint` is that token's last four."""
    code = answer.status_code
    if answer.is_accepted:
        return Verdict(
            "right",
            f"A request signed with …{hint} alone was accepted: the old token can end.",
        )
    if code in (400, 401, 403):
        return Verdict(
            "wrong",
            f"A request signed with …{hint} alone was refused with {answer.words}: your receiver "
            "does not know the new token yet. Give it the new one before the old one ends.",
        )
    return Verdict(
        "open",
        f"{answer.words}: this does not show whether the new token is known. Repair that, and "
        "rehearse again.",
    )


def judge(kind: str, usual: Answer, answer: Answer, *, own_header: str = "") -> Verdict:
    """`own_header`: of the platform's own signature, where it goes beside Standard Webhooks'."""
    if not usual.is_accepted:
        return Verdict(
            "open",
            f"The usual request was not accepted either ({usual.words}), so this shows nothing: "
            "repair that first.",
        )
    if kind in _FORGED:
        return _should_refuse(kind, answer, own_header)
    return _should_accept(kind, answer)


def _should_accept(kind: str, answer: Answer) -> Verdict:
    if answer.is_accepted:
        return Verdict("right", _ACCEPTED[VariantKind(kind)])
    if answer.status_code is None or answer.status_code == 429:
        return _nothing_shown(answer)
    return Verdict("wrong", f"Answered {answer.words}: {_REFUSED[VariantKind(kind)]}")


def _should_refuse(kind: str, answer: Answer, own_header: str) -> Verdict:
    code = answer.status_code
    if code is None or code == 429:
        return _nothing_shown(answer)
    if answer.is_accepted or 200 <= code < 300:
        words = _FORGED[VariantKind(kind)]
        if own_header and kind == VariantKind.OLD_TIMESTAMP:
            words += f" {own_header} alone carries no time: check webhook-signature."
        return Verdict("wrong", f"Accepted with {answer.words}: {words}")
    if code == 410:
        return Verdict(
            "wrong",
            "Refused with HTTP 410, which says that you want no events at all: the webhook would "
            "be suspended. Answer 400 or 401.",
        )
    if 400 <= code < 500:
        return Verdict("right", f"Refused with {answer.words}.")
    return Verdict(
        "wrong",
        f"Answered {answer.words}: that is no refusal, and a request so answered is sent again. "
        "Answer 400 or 401.",
    )


def _nothing_shown(answer: Answer) -> Verdict:
    return Verdict("open", f"{answer.words.capitalize()}: this shows nothing. Send it again.")
