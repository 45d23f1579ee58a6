"""A request to debug, and the inspection of one of its signatures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deliveries.signature_debugger.pasted_request import Headers
from deliveries.signature_debugger.search import (
    CandidateToken,
    Match,
    Message,
    Trial,
    TrialLog,
    candidate_messages,
)
from deliveries.signature_debugger.transformations import Difference
from deliveries.signing.verification import STANDARD_HEADERS, verify
from subscriptions.platforms.rules import SignatureRules

STANDARD = SignatureRules("standard", "", "generated", "whsec", ())
ID, TIMESTAMP, SIGNATURE = STANDARD_HEADERS


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the broadcaster: its id and the body as it is sent."""

    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SentEvent(StoredEvent):
    """The event of a delivery that was found. attempts: the logged headers of each attempt."""

    attempts: tuple[Headers, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A received request, and all that is known about it.

    choice: Endpoint.signature of the webhook in question, if there is one.
    received_at: when the request came in by the receiver's clock, if that is known.
    recent: gives events whose bodies may be tried if nothing else fits.
    """

    signature: SignatureRules
    choice: str | None
    headers: Headers
    body: bytes
    tokens: tuple[CandidateToken, ...]
    now: datetime
    received_at: datetime | None = None
    secret: str = field(default="", repr=False)
    computed: str = ""
    sent: SentEvent | None = None
    unknown_id: str = ""
    recent: Callable[[], Iterable[StoredEvent]] = field(default=tuple, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out.

    ok: whether the request's signature is good; None if none is expected.
    codes: the main finding, then what else is wrong.
    subject: where the mistake is: in the request, in the code that verifies, or with the signer.
    """

    codes: tuple[str, ...]
    ok: bool | None
    subject: str
    scheme: str
    header: str
    evidence: tuple[tuple[str, str], ...] = ()
    difference: Difference | None = None
    trials: tuple[Trial, ...] = ()
    combined: int = 0
    signed_with: CandidateToken | None = None

    @property
    def code(self) -> str:
        return self.codes[0]


class SignatureInspection:
    """Inspects one signature of a request, and logs what it tries."""

    def __init__(self, case: Case, rules: SignatureRules) -> None:
        self.case = case
        self.rules = rules
        self.is_standard = rules.scheme == "standard"
        self.header = SIGNATURE if self.is_standard else rules.header
        self.given = {name.lower(): value.strip() for name, value in case.headers}
        self.value = self.given.get(self.header.lower(), "")
        self.log = TrialLog()

    def finding(
        self,
        *codes: str,
        ok: bool | None = False,
        subject: str = "request",
        evidence: Iterable[tuple[str, str]] = (),
        difference: Difference | None = None,
        signed_with: CandidateToken | None = None,
    ) -> Finding:
        shown = [(self.header, self.value)] if self.value else []
        if signed_with is not None:
            shown.append(("Signed with", signed_with.label))
        return Finding(
            codes,
            ok,
            subject,
            self.rules.scheme,
            self.header,
            (*shown, *event_evidence(self.case), *evidence),
            difference,
            tuple(self.log.trials),
            self.log.combined,
            signed_with,
        )

    def signer(self, given: Mapping[str, str], body: bytes) -> CandidateToken | None:
        """Return the live token under which the signature verifies, whatever its age."""
        now = self.case.now
        if self.is_standard and re.fullmatch(r"[0-9]{1,11}", given.get(TIMESTAMP, "")):
            now = datetime.fromtimestamp(int(given[TIMESTAMP]), UTC)
        for token in self.case.tokens:
            if (
                token.is_live
                and verify(
                    signature=self.rules,
                    headers=self._own_headers(given),
                    body=body,
                    tokens=[token],
                    now=now,
                ).ok
            ):
                self.log.trials.append(Trial(f"{token.label}; {self.header} as it should be", True))
                return token
        return None

    def _own_headers(self, given: Mapping[str, str]) -> list[tuple[str, str]]:
        """The headers of this signature only: a request may carry two."""
        names = STANDARD_HEADERS if self.is_standard else (self.header.lower(),)
        return [(name, given[name]) for name in names if name in given]

    def with_user_secret(self, tokens: Sequence[CandidateToken]) -> list[CandidateToken]:
        """The tokens and the secret that the user gave, unless it is one of them."""
        secret = self.case.secret
        if not secret or any(token.token == secret for token in tokens):
            return list(tokens)
        return [*tokens, CandidateToken("the secret that you gave", secret, "given")]

    def messages(self) -> list[Message]:
        sent = self.case.sent
        logged = [{n.lower(): v for n, v in each} for each in sent.attempts] if sent else []
        values = [value for name, value in self.given.items() if "id" in name and len(value) < 100]
        return candidate_messages(
            self.given,
            standard=self.is_standard,
            ids=[*([sent.event_id] if sent else []), *values, *_ids_in(self.case.body)],
            timestamps=[each.get(TIMESTAMP, "") for each in logged],
        )


def _ids_in(body: bytes) -> list[str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found = value.get("id") if isinstance(value, dict) else None
    return [found] if isinstance(found, str) else []


def event_evidence(case: Case) -> list[tuple[str, str]]:
    """What is known about the event, as evidence."""
    if case.sent:
        word = "is" if case.sent.body == case.body else "is not"
        return [("Event", f"{case.sent.event_id}: yours; the body {word} the one that was sent")]
    if case.unknown_id:
        return [("Event", f"{case.unknown_id}: not one of this broadcaster's events")]
    return []


def match_evidence(match: Match | None) -> list[tuple[str, str]]:
    """How the signature was made, as evidence; nothing if that is unknown."""
    if match is None:
        return []
    return [("Made with", f"{match.key.words}; {match.message.words}; {match.hash.words}")]
