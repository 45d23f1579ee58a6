"""A finding of the signature debugger as words: cause, who must act, what to do, the one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deliveries.diagnosis.explanation import NOBODY, RECEIVER, YOU, Explanation, Who, shown
from deliveries.signature_debugger.case import Finding
from deliveries.signature_debugger.findings import VERDICTS
from deliveries.signature_debugger.framework_fixes import Fix, fixes, frameworks_told
from deliveries.signature_debugger.pasted_request import Headers
from deliveries.signature_debugger.search import Trial
from deliveries.signature_debugger.verdict_words import Words
from subscriptions.endpoints.signing_token_format import WHSEC_PREFIX

MAX_TRIALS_SHOWN = 150
_NOT_DUE: frozenset[str] = frozenset(("right", "right-one-of-several", "unsigned"))
_RESULTS = {
    "request": "This request does not verify",
    "signer": "This request does not verify",
    "code": "The request is right, your code is not",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`mood`: good, bad or quiet. `besides`: what is wrong too. `told_by`: why these frameworks."""

    finding: Finding
    explanation: Explanation
    mood: str
    result: str
    besides: tuple[Words, ...]
    fixes: tuple[Fix, ...]
    told_by: str
    trials: tuple[Trial, ...]
    untold_trials: int


def diagnose(finding: Finding, *, style: str, headers: Headers, framework: str = "") -> Diagnosis:
    """`style` is that of the pasted headers, `framework` what the user chose, if anything."""
    words = VERDICTS[finding.code]
    names, told_by = frameworks_told(
        chosen=framework, style=style, headers=headers, code=finding.code
    )
    token = finding.signed_with
    lines = fixes(
        names,
        family=words.family,
        scheme=finding.scheme,
        header=finding.header,
        is_whsec=token is None or token.token.startswith(WHSEC_PREFIX),
    )
    trials = sorted(finding.trials, key=lambda trial: not trial.fits)
    return Diagnosis(
        finding=finding,
        explanation=_explanation(finding, words),
        mood=_mood(finding),
        result=_result(finding),
        besides=tuple(VERDICTS[code] for code in finding.codes[1:]),
        fixes=tuple(lines),
        told_by=told_by if lines else "",
        trials=tuple(trials[:MAX_TRIALS_SHOWN]),
        untold_trials=finding.combined + max(0, len(trials) - MAX_TRIALS_SHOWN),
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


def _explanation(finding: Finding, words: Words) -> Explanation:
    cause = words.cause
    if finding.subject == "signer":
        cause = f"That is what was signed, and not the body that you gave. {cause}"
    return Explanation(
        title=words.title,
        cause=cause,
        who=_who(finding, words),
        action=words.action,
        evidence=list(_shown(finding.evidence)),
    )


def _who(finding: Finding, words: Words) -> Who:
    if finding.code in _NOT_DUE:
        return NOBODY
    return RECEIVER if words.family == "header" else YOU


def _shown(evidence: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((label, shown(value, 400)) for label, value in evidence)
