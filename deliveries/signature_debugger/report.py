"""Turns a finding into what the page shows: cause, who must act, what to do, the line to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deliveries.diagnosis.explanations import NOBODY, RECEIVER, YOU, Explanation, Who, clean_line
from deliveries.signature_debugger.case import Finding
from deliveries.signature_debugger.findings import FINDING_TEXTS, FindingText
from deliveries.signature_debugger.framework_fixes import Fix, fixes, guess_frameworks
from deliveries.signature_debugger.pasted_request import Headers
from deliveries.signature_debugger.search import Trial
from subscriptions.endpoints.signing_token_format import WHSEC_PREFIX

MAX_TRIALS_SHOWN = 150
_NOBODY_ACTS: frozenset[str] = frozenset(("right", "right-one-of-several", "unsigned"))
_ACTORS = {
    YOU: "you, in the code that verifies",
    RECEIVER: "whoever runs what stands before that code",
}
_RESULTS = {
    "request": "This request does not verify",
    "signer": "This request does not verify",
    "code": "The request is right, your code is not",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A finding in words.

    mood: good, bad or quiet. further: what else is wrong. guessed_by: why these frameworks.
    hidden_trials: how many trials are not shown.
    """

    finding: Finding
    explanation: Explanation
    mood: str
    result: str
    further: tuple[FindingText, ...]
    fixes: tuple[Fix, ...]
    guessed_by: str
    trials: tuple[Trial, ...]
    hidden_trials: int

    @property
    def actor(self) -> str:
        """Who must act, as it stands in a sentence; "" if nobody must."""
        return _ACTORS.get(self.explanation.who, "")

    @property
    def trial_count(self) -> str:
        """`1 way`, `150 ways`: how many were tried, shown or not."""
        count = len(self.trials) + self.hidden_trials
        return f"{count} way{'' if count == 1 else 's'}"


def diagnose(finding: Finding, *, style: str, headers: Headers, framework: str = "") -> Diagnosis:
    """Explain the finding. style: of the pasted headers; framework: what the user chose, or ""."""
    text = FINDING_TEXTS[finding.code]
    names, guessed_by = guess_frameworks(
        chosen=framework, style=style, headers=headers, code=finding.code
    )
    token = finding.signed_with
    lines = fixes(
        names,
        kind=text.fix,
        scheme=finding.scheme,
        header=finding.header,
        is_whsec=token is None or token.token.startswith(WHSEC_PREFIX),
    )
    trials = sorted(finding.trials, key=lambda trial: not trial.fits)
    return Diagnosis(
        finding=finding,
        explanation=_explanation(finding, text),
        mood=_mood(finding),
        result=_result(finding),
        further=tuple(FINDING_TEXTS[code] for code in finding.codes[1:]),
        fixes=tuple(lines),
        guessed_by=guessed_by if lines else "",
        trials=tuple(trials[:MAX_TRIALS_SHOWN]),
        hidden_trials=finding.combined + max(0, len(trials) - MAX_TRIALS_SHOWN),
    )


def _mood(finding: Finding) -> str:
    if finding.ok is None:
        return "quiet"
    return "good" if finding.ok and finding.subject != "code" else "bad"


def _result(finding: Finding) -> str:
    if finding.ok is None:
        return "Nothing to verify"
    if finding.ok and finding.subject == "request":
        return "This request verifies"
    return _RESULTS[finding.subject]


def _explanation(finding: Finding, text: FindingText) -> Explanation:
    cause = text.cause
    if finding.subject == "signer":
        cause = f"That is what was signed, and not the body that you gave. {cause}"
    return Explanation(
        title=text.title,
        cause=cause,
        who=_who(finding, text),
        action=text.action,
        evidence=list(_shown(finding.evidence)),
    )


def _who(finding: Finding, text: FindingText) -> Who:
    if finding.code in _NOBODY_ACTS:
        return NOBODY
    return RECEIVER if text.fix == "header" else YOU


def _shown(evidence: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((label, clean_line(value, 400)) for label, value in evidence)
