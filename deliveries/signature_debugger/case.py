"""A request to be looked into, and one signature of it with all that is tried on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deliveries.signature_debugger.pasted_request import Headers
from deliveries.signature_debugger.search import Hit, Log, Message, Trial, TriedToken, messages_of
from deliveries.signature_debugger.transformations import Difference
from deliveries.signing.verification import STANDARD_HEADERS, verify
from subscriptions.platforms.rules import SignatureRules

STANDARD = SignatureRules("standard", "", "generated", "whsec", ())
ID, TIMESTAMP, SIGNATURE = STANDARD_HEADERS


@dataclass(frozen=True, slots=True)
class Stored:
    """An event of the broadcaster: its id and the body as it is sent."""

    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent(Stored):
    """A delivery that was found. `attempts`: the headers of each request made, as logged."""

    attempts: tuple[Headers, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """`choice` is Endpoint.signature of the webhook in question, or None where none is.

    `received_at` is when the request came in by the receiver's clock, where that is known.
    `recent` gives events whose bodies may be tried where nothing else fits.
    """

    signature: SignatureRules
    choice: str | None
    headers: Headers
    body: bytes
    tokens: tuple[TriedToken, ...]
    now: datetime
    received_at: datetime | None = None
    secret: str = field(default="", repr=False)
    computed: str = ""
    sent: Sent | None = None
    unknown_id: str = ""
    recent: Callable[[], Iterable[Stored]] = field(default=tuple, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok`: the request's signature is good; None where none is due. `codes`: the verdict, then
    what is wrong besides. `subject`: whose mistake it is: of what came in (request), of the code
    that verifies (code), or of whoever signed (signer)."""

    codes: tuple[str, ...]
    ok: bool | None
    subject: str
    scheme: str
    header: str
    evidence: tuple[tuple[str, str], ...] = ()
    difference: Difference | None = None
    trials: tuple[Trial, ...] = ()
    combined: int = 0
    signed_with: TriedToken | None = None

    @property
    def code(self) -> str:
        return self.codes[0]


class LookedAt:
    """One signature of a request, looked into."""

    def __init__(self, case: Case, rules: SignatureRules) -> None:
        self.case = case
        self.rules = rules
        self.is_standard = rules.scheme == "standard"
        self.header = SIGNATURE if self.is_standard else rules.header
        self.given = {name.lower(): value.strip() for name, value in case.headers}
        self.value = self.given.get(self.header.lower(), "")
        self.log = Log()

    def say(
        self,
        *codes: str,
        ok: bool | None = False,
        subject: str = "request",
        evidence: Iterable[tuple[str, str]] = (),
        differs: Difference | None = None,
        signed_with: TriedToken | None = None,
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
            (*shown, *of_sent(self.case), *evidence),
            differs,
            tuple(self.log.trials),
            self.log.combined,
            signed_with,
        )

    def signer(self, given: Mapping[str, str], body: bytes) -> TriedToken | None:
        """The live token under which the signature verifies, the age of it aside."""
        now = self.case.now
        if self.is_standard and re.fullmatch(r"[0-9]{1,11}", given.get(TIMESTAMP, "")):
            now = datetime.fromtimestamp(int(given[TIMESTAMP]), UTC)
        for token in self.case.tokens:
            if (
                token.is_live
                and verify(
                    signature=self.rules,
                    headers=self._own(given),
                    body=body,
                    tokens=[token],
                    now=now,
                ).ok
            ):
                self.log.trials.append(Trial(f"{token.label}; {self.header} as it should be", True))
                return token
        return None

    def _own(self, given: Mapping[str, str]) -> list[tuple[str, str]]:
        """Only this signature's headers: a request may carry two."""
        names = STANDARD_HEADERS if self.is_standard else (self.header.lower(),)
        return [(name, given[name]) for name in names if name in given]

    def with_given(self, tokens: Sequence[TriedToken]) -> list[TriedToken]:
        """With the user's secret, unless it is one of them."""
        secret = self.case.secret
        if not secret or any(token.token == secret for token in tokens):
            return list(tokens)
        return [*tokens, TriedToken("the secret that you gave", secret, "given")]

    def messages(self) -> list[Message]:
        sent = self.case.sent
        logged = [{n.lower(): v for n, v in each} for each in sent.attempts] if sent else []
        values = [value for name, value in self.given.items() if "id" in name and len(value) < 100]
        return messages_of(
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


def of_sent(case: Case) -> list[tuple[str, str]]:
    """What is known of the event."""
    if case.sent:
        word = "is" if case.sent.body == case.body else "is not"
        return [("Event", f"{case.sent.event_id}: yours; the body {word} the one that was sent")]
    if case.unknown_id:
        return [("Event", f"{case.unknown_id}: not one of this broadcaster's events")]
    return []


def of_hit(hit: Hit | None) -> list[tuple[str, str]]:
    """How the signature was made, where that is known."""
    if hit is None:
        return []
    return [("Made with", f"{hit.key.words}; {hit.message.words}; {hit.hash.words}")]
