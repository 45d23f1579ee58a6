"""Why does this signature not verify? Decided by trying, on values alone.

debug() takes a request as it was received, the tokens that may have signed it and what is known
of what was sent, and says which step broke. Only `verify` decides that a signature is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from deliveries.signature_debugger.body_comparison import named
from deliveries.signature_debugger.case import (
    ID,
    SIGNATURE,
    STANDARD,
    TIMESTAMP,
    Case,
    Finding,
    LookedAt,
    Sent,
    of_hit,
    of_sent,
)
from deliveries.signature_debugger.encodings import digests, right_form
from deliveries.signature_debugger.possible_originals import undone
from deliveries.signature_debugger.receiver_code import fault_of_code
from deliveries.signature_debugger.search import Body, Hit, TriedToken, find, keys_of
from deliveries.signature_debugger.transformations import difference, made
from deliveries.signing.signature import signature_headers
from deliveries.signing.verification import STANDARD_HEADERS, TOLERANCE
from subscriptions.endpoints.signing_token_format import TokenPair
from subscriptions.platforms.rules import SignatureRules

_MASKED = re.compile(r"•|\*{3,}|^\W*(?:redacted|filtered|masked|hidden)\W*$", re.I)
# A beginning as long as this is no guess: telling a shorter one would help to forge the rest.
_MAX_GUESS = 16
_MAX_MADE_BYTES = 32 * 1024
# Bodies that say themselves what became of them.
_TELLING = {
    b"": "empty-body",
    b"{}": "empty-body",
    b"null": "empty-body",
    b"undefined": "empty-body",
    b"[object Object]": "object-object",
    b"[object Buffer]": "object-object",
}


def debug(case: Case) -> Finding:
    """Which step broke, or that none did."""
    schemes = list(_schemes(case))
    findings = []
    for rules in schemes:
        finding = _Request(case, rules).finding()
        if not finding.ok:
            return finding
        findings.append(finding)
    if not findings:
        return Finding(("unsigned",), None, "request", "none", "", tuple(of_sent(case)))
    # A request may carry two signatures, and the user's code computes one of them.
    told = [each for each in findings if each.code not in ("right", "computed-unexplained")]
    return (told or findings)[0]


def _schemes(case: Case) -> Iterator[SignatureRules]:
    """The signatures that the request must carry, and Standard Webhooks' where it has it."""
    if case.choice == "none":
        return
    has_own = case.signature.scheme.startswith("hmac-")
    if has_own:
        yield case.signature
    names = {name.lower() for name, _ in case.headers} - {case.signature.header.lower()}
    if "standard" in (case.choice, case.signature.scheme) or names & set(STANDARD_HEADERS):
        yield STANDARD


class _Request(LookedAt):
    """One signature of a request, with what is to be said of it."""

    def finding(self) -> Finding:
        needed = STANDARD_HEADERS if self.is_standard else (self.header,)
        missing = [name for name in needed if not self.given.get(name.lower())]
        if missing:
            return self._missing(missing)
        if _MASKED.search(self.value):
            return self.say("masked-header")
        if (signer := self.signer(self.given, self.case.body)) is not None:
            return self._fitting(signer)
        if self.is_standard and not re.fullmatch(r"[0-9]{1,12}", self.given[TIMESTAMP]):
            return self.say("timestamp-form", evidence=[(TIMESTAMP, self.given[TIMESTAMP])])
        return self._unfitting()

    # It fits

    def _fitting(self, signer: TriedToken) -> Finding:
        if code_finding := fault_of_code(self, signer):
            return code_finding
        if self.is_standard and (late := self._out_of_tolerance(signer)):
            return late
        if self.is_standard and not self._all_parts_fit():
            return self.say("right-one-of-several", ok=True, signed_with=signer)
        return self.say("right", ok=True, signed_with=signer)

    def _all_parts_fit(self) -> bool:
        return all(
            self.signer({**self.given, SIGNATURE: part}, self.case.body)
            for part in self.value.split()
        )

    def _out_of_tolerance(self, signer: TriedToken) -> Finding | None:
        moment = self.case.received_at or self.case.now
        stamp = int(self.given[TIMESTAMP])
        away_seconds = int(moment.timestamp()) - stamp
        if abs(away_seconds) <= TOLERANCE.total_seconds():
            return None
        side = "before" if away_seconds > 0 else "after"
        clock = "the time it came in" if self.case.received_at else "now, by the portal's clock"
        evidence = [("Timestamp", f"{stamp}: {abs(away_seconds):,} seconds {side} {clock}")]
        code = "timestamp-old" if away_seconds > 0 else "timestamp-ahead"
        return self.say(code, ok=True, signed_with=signer, evidence=evidence)

    # It does not fit

    def _missing(self, missing: Sequence[str]) -> Finding:
        for name in missing:
            if renamed := _alike(name, self.given):
                evidence = [(name, f"is there as {renamed}")]
                return self.say("header-renamed", evidence=evidence)
        for name, value in self.given.items():
            if name not in missing and self._fits_there(value, missing):
                return self.say("wrong-header", evidence=[(name, value)])
        evidence = [("Missing", ", ".join(missing))]
        if self._was_sent_with(missing[0]):
            evidence.append(("The log says", f"the portal sent {missing[0]}"))
        return self.say("missing-header", evidence=evidence)

    def _fits_there(self, value: str, missing: Sequence[str]) -> bool:
        if self.header not in missing:
            return False
        wanted = digests(self.rules.scheme, value)
        live = [token for token in self.case.tokens if token.is_live]
        return bool(wanted) and any(
            find(
                wanted,
                keys=[key for key in keys_of([token], standard=self.is_standard) if not key.code],
                messages=self.messages()[:1],
                bodies=[Body("", "the body as it came", self.case.body)],
                log=self.log,
            )
            for token in live
        )

    def _was_sent_with(self, name: str) -> bool:
        attempts = self.case.sent.attempts if self.case.sent else ()
        return any(given.lower() == name.lower() for each in attempts for given, _ in each)

    def _unfitting(self) -> Finding:
        wanted = digests(self.rules.scheme, self.value)
        keys = keys_of(self.with_given(self.case.tokens), standard=self.is_standard)
        messages = self.messages()
        for bodies in (self._origins, self._recent, self._made):
            hit = find(wanted, keys=keys, messages=messages, bodies=bodies(), log=self.log)
            if hit is not None and hit.codes:
                return self._of_found(hit)
        return self._unexplained(has_digest=bool(wanted))

    def _origins(self) -> list[Body]:
        """The body, and what it may have been before."""
        found = [Body("", "the body as you gave it", self.case.body)]
        sent = self.case.sent
        if sent and sent.body != self.case.body:
            found.append(Body("stored", "the body that was sent", sent.body, True, sent.event_id))
        found += [Body(each.code, each.how, each.body) for each in undone(self.case.body)]
        return found

    def _recent(self) -> list[Body]:
        return [
            Body("stored", f"the body of {each.event_id}", each.body, True, each.event_id)
            for each in self.case.recent()
            if each.body != self.case.body
        ]

    def _made(self) -> list[Body]:
        """What a signer that is not ours may have made of it; writing a large one takes long."""
        if len(self.case.body) > _MAX_MADE_BYTES:
            return []
        return [
            Body(change.code, change.how, change.body, is_origin=False)
            for change in made(self.case.body)
        ]

    def _of_found(self, hit: Hit) -> Finding:
        token = hit.key.token
        others = [code for code in hit.codes if code != hit.body.code]
        evidence = of_hit(hit)
        if not hit.body.code:
            return self.say(*others, evidence=evidence, signed_with=token)
        if not hit.body.is_origin:
            evidence.append(("What was signed", hit.body.words))
            differs = difference(self.case.body, hit.body.data)
            return self.say(
                hit.body.code,
                *others,
                subject="signer",
                evidence=evidence,
                differs=differs,
                signed_with=token,
            )
        return self._changed(hit.body.data, others, evidence, token, hit.body.event_id)

    def _changed(
        self,
        original: bytes,
        others: Iterable[str],
        evidence: Iterable[tuple[str, str]],
        token: TriedToken | None = None,
        event_id: str = "",
    ) -> Finding:
        """The body is not the one that was signed, which is known."""
        change = named(self.case.body, original)
        code = change.code
        sent_id = self.case.sent.event_id if self.case.sent else ""
        shown = [*evidence, ("What happened to the body", change.how or code)]
        if event_id and event_id != sent_id:
            shown.append(("Event", f"{event_id}: the signature is that of its body"))
            if code in ("values-changed", "changed-body"):
                code = "other-event"
        differs = difference(self.case.body, original)
        return self.say(code, *others, evidence=shown, differs=differs, signed_with=token)

    def _unexplained(self, *, has_digest: bool) -> Finding:
        case, sent = self.case, self.case.sent
        if self._is_cut():
            return self.say("signature-cut")
        if sent is not None and (found := self._by_log(sent)):
            return found
        if not has_digest:
            return self.say("not-a-signature")
        if case.body.strip() in _TELLING:
            return self.say(_TELLING[case.body.strip()])
        length = self.given.get("content-length", "")
        if length.isdecimal() and int(length[:9]) > len(case.body):
            evidence = [("Content-Length", f"{length}, and the body has {len(case.body):,} bytes")]
            return self.say("truncated-body", evidence=evidence)
        if not case.tokens:
            return self.say("no-token")
        return self.say("unknown-event" if case.unknown_id else "unexplained")

    def _by_log(self, sent: Sent) -> Finding | None:
        """What the log of the delivery says, where no token does."""
        name = self.header.lower()
        logged = [v for each in sent.attempts for n, v in each if n.lower() == name]
        is_as_sent = self.value in logged
        if sent.body != self.case.body:
            return self._changed(sent.body, () if is_as_sent else ("header-altered",), ())
        if is_as_sent:
            return self.say("signed-then-unknown")
        return self.say("header-altered", evidence=[("Sent", v) for v in logged[-1:]])

    def _is_cut(self) -> bool:
        value = self.value
        if len(value) <= _MAX_GUESS or right_form(self.rules.scheme, value) is not None:
            return False
        bodies = [self.case.body, *([self.case.sent.body] if self.case.sent else [])]
        return any(
            expected.startswith(value) and expected != value
            for token in self.case.tokens
            if token.is_live
            for body in bodies
            for expected in self._expected(token, body)
        )

    def _expected(self, token: TriedToken, body: bytes) -> Iterator[str]:
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


def _alike(name: str, given: Mapping[str, str]) -> str:
    """A header that carries `name` in its own: underscores for hyphens, a prefix more or less."""
    wanted = _squashed(name).removeprefix("x")
    names = (each for each in given if each not in STANDARD_HEADERS or name not in given)
    return next((each for each in names if each != name and _is_like(each, wanted)), "")


def _is_like(name: str, wanted: str) -> bool:
    return _squashed(name).removeprefix("x").endswith(wanted)


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
