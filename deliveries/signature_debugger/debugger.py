"""Finds out by trying why a signature does not verify. Pure: values in, values out.

`debug` takes a request as it was received, the tokens that may have signed it and what is known about
the event, and returns which step broke. Only `verify` decides that a signature is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from deliveries.signature_debugger.body_comparison import identify_change
from deliveries.signature_debugger.case import (
    ID,
    SIGNATURE,
    STANDARD,
    TIMESTAMP,
    Case,
    Finding,
    SentEvent,
    SignatureInspection,
    event_evidence,
    match_evidence,
)
from deliveries.signature_debugger.encodings import parse_exact, possible_digests
from deliveries.signature_debugger.possible_originals import possible_originals
from deliveries.signature_debugger.receiver_code import check_receiver_code
from deliveries.signature_debugger.search import (
    CandidateBody,
    CandidateToken,
    Match,
    candidate_keys,
    search,
)
from deliveries.signature_debugger.transformations import find_difference, transformations
from deliveries.signing.signature import signature_headers
from deliveries.signing.verification import STANDARD_HEADERS, TOLERANCE
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.platforms.rules import SignatureRules

_MASKED = re.compile(r"•|\*{3,}|^\W*(?:redacted|filtered|masked|hidden)\W*$", re.I)
# A truncated signature is confirmed only if it is longer than this: confirming a shorter one would
# help to forge the rest.
_MIN_PREFIX_LENGTH = 16
_MAX_TRANSFORMED_BYTES = 32 * 1024
# Bodies that show by themselves what happened to them.
_TELLTALE_BODIES = {
    b"": "empty-body",
    b"{}": "empty-body",
    b"null": "empty-body",
    b"undefined": "empty-body",
    b"[object Object]": "object-object",
    b"[object Buffer]": "object-object",
}


def debug(case: Case) -> Finding:
    """Return which step broke, or that none did."""
    schemes = list(_schemes(case))
    findings = []
    for rules in schemes:
        finding = _RequestInspection(case, rules).inspect()
        if not finding.ok:
            return finding
        findings.append(finding)
    if not findings:
        return Finding(("unsigned",), None, "request", "none", "", tuple(event_evidence(case)))
    # A request may carry two signatures, while the user's code computes one of them.
    explained = [each for each in findings if each.code not in ("right", "computed-unexplained")]
    return (explained or findings)[0]


def _schemes(case: Case) -> Iterator[SignatureRules]:
    """Yield the signatures that the request must carry, and Standard Webhooks' if it is there."""
    if case.choice == "none":
        return
    has_own = case.signature.scheme.startswith("hmac-")
    if has_own:
        yield case.signature
    names = {name.lower() for name, _ in case.headers} - {case.signature.header.lower()}
    if "standard" in (case.choice, case.signature.scheme) or names & set(STANDARD_HEADERS):
        yield STANDARD


class _RequestInspection(SignatureInspection):
    """Inspects one signature of a request, and explains it."""

    def inspect(self) -> Finding:
        needed = STANDARD_HEADERS if self.is_standard else (self.header,)
        missing = [name for name in needed if not self.given.get(name.lower())]
        if missing:
            return self._missing(missing)
        if _MASKED.search(self.value):
            return self.finding("masked-header")
        if (signer := self.signer(self.given, self.case.body)) is not None:
            return self._explain_valid(signer)
        if self.is_standard and not re.fullmatch(r"[0-9]{1,12}", self.given[TIMESTAMP]):
            return self.finding("timestamp-form", evidence=[(TIMESTAMP, self.given[TIMESTAMP])])
        return self._explain_invalid()

    # --- It verifies

    def _explain_valid(self, signer: CandidateToken) -> Finding:
        if code_finding := check_receiver_code(self, signer):
            return code_finding
        if self.is_standard and (late := self._out_of_tolerance(signer)):
            return late
        if self.is_standard and not self._all_parts_fit():
            return self.finding("right-one-of-several", ok=True, signed_with=signer)
        return self.finding("right", ok=True, signed_with=signer)

    def _all_parts_fit(self) -> bool:
        return all(
            self.signer({**self.given, SIGNATURE: part}, self.case.body)
            for part in self.value.split()
        )

    def _out_of_tolerance(self, signer: CandidateToken) -> Finding | None:
        moment = self.case.received_at or self.case.now
        stamp = int(self.given[TIMESTAMP])
        away_seconds = int(moment.timestamp()) - stamp
        if abs(away_seconds) <= TOLERANCE.total_seconds():
            return None
        side = "before" if away_seconds > 0 else "after"
        clock = "the time it came in" if self.case.received_at else "now, by the portal's clock"
        evidence = [("Timestamp", f"{stamp}: {abs(away_seconds):,} seconds {side} {clock}")]
        code = "timestamp-old" if away_seconds > 0 else "timestamp-ahead"
        return self.finding(code, ok=True, signed_with=signer, evidence=evidence)

    # --- It does not verify

    def _missing(self, missing: Sequence[str]) -> Finding:
        for name in missing:
            if renamed := _find_renamed(name, self.given):
                evidence = [(name, f"is there as {renamed}")]
                return self.finding("header-renamed", evidence=evidence)
        for name, value in self.given.items():
            if name not in missing and self._fits_there(value, missing):
                return self.finding("wrong-header", evidence=[(name, value)])
        evidence = [("Missing", ", ".join(missing))]
        if self._was_sent_with(missing[0]):
            evidence.append(("The log says", f"the portal sent {missing[0]}"))
        return self.finding("missing-header", evidence=evidence)

    def _fits_there(self, value: str, missing: Sequence[str]) -> bool:
        if self.header not in missing:
            return False
        wanted = possible_digests(self.rules.scheme, value)
        live = [token for token in self.case.tokens if token.is_live]
        return bool(wanted) and any(
            search(
                wanted,
                keys=[
                    key
                    for key in candidate_keys([token], standard=self.is_standard)
                    if not key.code
                ],
                messages=self.messages()[:1],
                bodies=[CandidateBody("", "the body as it came", self.case.body)],
                log=self.log,
            )
            for token in live
        )

    def _was_sent_with(self, name: str) -> bool:
        attempts = self.case.sent.attempts if self.case.sent else ()
        return any(given.lower() == name.lower() for each in attempts for given, _ in each)

    def _explain_invalid(self) -> Finding:
        wanted = possible_digests(self.rules.scheme, self.value)
        keys = candidate_keys(self.with_user_secret(self.case.tokens), standard=self.is_standard)
        messages = self.messages()
        for bodies in (self._original_bodies, self._recent_bodies, self._transformed_bodies):
            match = search(wanted, keys=keys, messages=messages, bodies=bodies(), log=self.log)
            if match is not None and match.codes:
                return self._explain_match(match)
        return self._unexplained(has_digest=bool(wanted))

    def _original_bodies(self) -> list[CandidateBody]:
        """The body, and what it may have been before a change."""
        found = [CandidateBody("", "the body as you gave it", self.case.body)]
        sent = self.case.sent
        if sent and sent.body != self.case.body:
            found.append(
                CandidateBody("stored", "the body that was sent", sent.body, True, sent.event_id)
            )
        found += [
            CandidateBody(each.code, each.how, each.body)
            for each in possible_originals(self.case.body)
        ]
        return found

    def _recent_bodies(self) -> list[CandidateBody]:
        return [
            CandidateBody("stored", f"the body of {each.event_id}", each.body, True, each.event_id)
            for each in self.case.recent()
            if each.body != self.case.body
        ]

    def _transformed_bodies(self) -> list[CandidateBody]:
        """What another signer may have made of the body; none for a large one, which would take long."""
        if len(self.case.body) > _MAX_TRANSFORMED_BYTES:
            return []
        return [
            CandidateBody(change.code, change.how, change.body, is_origin=False)
            for change in transformations(self.case.body)
        ]

    def _explain_match(self, match: Match) -> Finding:
        token = match.key.token
        others = [code for code in match.codes if code != match.body.code]
        evidence = match_evidence(match)
        if not match.body.code:
            return self.finding(*others, evidence=evidence, signed_with=token)
        if not match.body.is_origin:
            evidence.append(("What was signed", match.body.words))
            difference = find_difference(self.case.body, match.body.data)
            return self.finding(
                match.body.code,
                *others,
                subject="signer",
                evidence=evidence,
                difference=difference,
                signed_with=token,
            )
        return self._explain_changed_body(
            match.body.data, others, evidence, token, match.body.event_id
        )

    def _explain_changed_body(
        self,
        original: bytes,
        others: Iterable[str],
        evidence: Iterable[tuple[str, str]],
        token: CandidateToken | None = None,
        event_id: str = "",
    ) -> Finding:
        """The body is not the one that was signed, and that one is known."""
        change = identify_change(self.case.body, original)
        code = change.code
        sent_id = self.case.sent.event_id if self.case.sent else ""
        shown = [*evidence, ("What happened to the body", change.how or code)]
        if event_id and event_id != sent_id:
            shown.append(("Event", f"{event_id}: the signature is that of its body"))
            if code in ("values-changed", "changed-body"):
                code = "other-event"
        difference = find_difference(self.case.body, original)
        return self.finding(code, *others, evidence=shown, difference=difference, signed_with=token)

    def _unexplained(self, *, has_digest: bool) -> Finding:
        case, sent = self.case, self.case.sent
        if self._is_truncated():
            return self.finding("signature-cut")
        if sent is not None and (found := self._compare_with_log(sent)):
            return found
        if not has_digest:
            return self.finding("not-a-signature")
        if case.body.strip() in _TELLTALE_BODIES:
            return self.finding(_TELLTALE_BODIES[case.body.strip()])
        length = self.given.get("content-length", "")
        if length.isdecimal() and int(length[:9]) > len(case.body):
            evidence = [("Content-Length", f"{length}, and the body has {len(case.body):,} bytes")]
            return self.finding("truncated-body", evidence=evidence)
        if not case.tokens:
            return self.finding("no-token")
        return self.finding("unknown-event" if case.unknown_id else "unexplained")

    def _compare_with_log(self, sent: SentEvent) -> Finding | None:
        """Explain by the log of the delivery what no token explains."""
        name = self.header.lower()
        logged = [v for each in sent.attempts for n, v in each if n.lower() == name]
        is_as_sent = self.value in logged
        if sent.body != self.case.body:
            return self._explain_changed_body(
                sent.body, () if is_as_sent else ("header-altered",), ()
            )
        if is_as_sent:
            return self.finding("signed-then-unknown")
        return self.finding("header-altered", evidence=[("Sent", v) for v in logged[-1:]])

    def _is_truncated(self) -> bool:
        value = self.value
        if len(value) <= _MIN_PREFIX_LENGTH or parse_exact(self.rules.scheme, value) is not None:
            return False
        bodies = [self.case.body, *([self.case.sent.body] if self.case.sent else [])]
        return any(
            expected.startswith(value) and expected != value
            for token in self.case.tokens
            if token.is_live
            for body in bodies
            for expected in self._expected(token, body)
        )

    def _expected(self, token: CandidateToken, body: bytes) -> Iterator[str]:
        stamp = self.given.get(TIMESTAMP, "") if self.is_standard else "0"
        if not re.fullmatch(r"[0-9]{1,11}", stamp):
            return
        signed = signature_headers(
            signature=self.rules,
            choice=None,
            tokens=TokenPair(token.token),
            event_id=self.given.get(ID, ""),
            body=body,
            sent_at=datetime.fromtimestamp(int(stamp), UTC),
        )
        yield from (value for name, value in signed if name.lower() == self.header.lower())


def _find_renamed(name: str, given: Mapping[str, str]) -> str:
    """A header whose name contains `name`: with underscores, or a prefix added or removed."""
    wanted = _letters_and_digits(name).removeprefix("x")
    names = (each for each in given if each not in STANDARD_HEADERS or name not in given)
    return next((each for each in names if each != name and _is_similar(each, wanted)), "")


def _is_similar(name: str, wanted: str) -> bool:
    return _letters_and_digits(name).removeprefix("x").endswith(wanted)


def _letters_and_digits(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
