"""What is wrong with a receiver's own code, if the request that it got is right."""

from __future__ import annotations

from collections.abc import Iterable

from deliveries.signature_debugger.case import Finding, SignatureInspection, match_evidence
from deliveries.signature_debugger.encodings import Codes, possible_digests
from deliveries.signature_debugger.search import (
    CandidateBody,
    CandidateToken,
    Match,
    candidate_keys,
    misused_keys,
    search,
)
from deliveries.signature_debugger.transformations import find_difference, transformations
from subscriptions.catalogue.verifying_code import PLACEHOLDER
from subscriptions.endpoints.signing_token_format import WHSEC_PREFIX
from subscriptions.publisher_token_format import PREFIX as PUBLISHER_PREFIX


def check_receiver_code(inspection: SignatureInspection, signer: CandidateToken) -> Finding | None:
    """Return what the receiver's secret, or the signature that its code computes, shows.

    None if neither is given, or if the secret is right.
    """
    case = inspection.case
    if case.computed.strip():
        return _check_computed_signature(inspection, signer, case.computed.strip())
    if case.secret and (fault := _check_secret(inspection, signer)):
        code, how = fault
        evidence = [("Your secret", how)] if how else []
        return inspection.finding(
            code, ok=True, subject="code", evidence=evidence, signed_with=signer
        )
    return None


def _check_secret(
    inspection: SignatureInspection, signer: CandidateToken
) -> tuple[str, str] | None:
    case = inspection.case
    return check_secret(case.secret, signer, case.tokens, standard=inspection.is_standard)


def _check_computed_signature(
    inspection: SignatureInspection, signer: CandidateToken, computed: str
) -> Finding:
    def conclude(*codes: str, match: Match | None = None) -> Finding:
        body = match.body if match and match.body.code else None
        evidence = [("Your code's signature", computed), *match_evidence(match)]
        if body:
            evidence.append(("What your code signs", body.words))
        return inspection.finding(
            *codes,
            ok=True,
            subject="code",
            evidence=evidence,
            signed_with=signer,
            difference=find_difference(body.data, inspection.case.body) if body else None,
        )

    value = inspection.value
    if computed in ([value, *value.split()] if inspection.is_standard else [value]):
        return conclude("comparison")
    wanted = possible_digests(inspection.rules.scheme, computed)
    if not wanted:
        return conclude("computed-is-no-signature")
    match = _search(inspection, wanted, signer)
    if match is None:
        fault = _check_secret(inspection, signer) if inspection.case.secret else None
        return conclude(fault[0] if fault else "computed-unexplained")
    return conclude(*(match.codes or ("secret-wrong-token",)), match=match)


def _search(
    inspection: SignatureInspection, wanted: dict[bytes, Codes], signer: CandidateToken
) -> Match | None:
    case = inspection.case
    tokens = [signer, *(each for each in case.tokens if each is not signer)]
    bodies = [CandidateBody("", "the body as it came", case.body)]
    bodies += [
        CandidateBody(change.code, change.how, change.body) for change in transformations(case.body)
    ]
    return search(
        wanted,
        keys=candidate_keys(inspection.with_user_secret(tokens), standard=inspection.is_standard),
        messages=inspection.messages(),
        bodies=bodies,
        log=inspection.log,
    )


# A part of a token is confirmed only from this length on: confirming shorter ones would give the token
# away piece by piece.
_MIN_PART_LENGTH = 20


def check_secret(
    secret: str, signer: CandidateToken, tokens: Iterable[CandidateToken], *, standard: bool
) -> tuple[str, str] | None:
    """Return the finding's code and what the secret is, in words; None if it is the signing token.

    The words never repeat the secret.
    """
    known = [signer, *(token for token in tokens if token is not signer)]
    for token in known:
        if secret == token.token or (standard and secret == _without_prefix(token.token)):
            is_signer = token.token == signer.token
            return None if is_signer else ("secret-wrong-token", token.label)
    for token in known:
        for code, key, how in misused_keys(token.token, standard=standard):
            if key == secret.encode("utf-8", "surrogatepass"):
                return code, f"{token.label}, {how}"
    if secret.strip().startswith(PUBLISHER_PREFIX):
        return "secret-is-publisher-token", ""
    if secret.strip() in ("", "undefined", "null", "None", "nil"):
        return "secret-missing", ""
    if PLACEHOLDER in secret:
        return "secret-placeholder", ""
    if len(secret) >= _MIN_PART_LENGTH:
        for token in known:
            if secret in token.token:
                words = f"{len(secret)} of the {len(token.token)} characters of {token.label}"
                return "secret-cut", words
    return "secret-unknown", ""


def _without_prefix(token: str) -> str:
    return token.removeprefix(WHSEC_PREFIX)
