"""What is wrong with a receiver's own code, when the request that it got is right."""

from __future__ import annotations

from deliveries.signature_debugger.case import Finding, LookedAt, of_hit
from deliveries.signature_debugger.encodings import Codes, digests
from deliveries.signature_debugger.search import Body, Hit, TriedToken, find, keys_of
from deliveries.signature_debugger.secret_check import secret_fault
from deliveries.signature_debugger.transformations import difference, made


def fault_of_code(looked_at: LookedAt, signer: TriedToken) -> Finding | None:
    """What the secret or the signature of the receiver's code shows; None where neither is given
    or the secret is right."""
    case = looked_at.case
    if case.computed.strip():
        return _of_computed(looked_at, signer, case.computed.strip())
    if case.secret and (fault := _secret_fault(looked_at, signer)):
        code, how = fault
        evidence = [("Your secret", how)] if how else []
        return looked_at.say(code, ok=True, subject="code", evidence=evidence, signed_with=signer)
    return None


def _secret_fault(looked_at: LookedAt, signer: TriedToken) -> tuple[str, str] | None:
    case = looked_at.case
    return secret_fault(case.secret, signer, case.tokens, standard=looked_at.is_standard)


def _of_computed(looked_at: LookedAt, signer: TriedToken, computed: str) -> Finding:
    def say(*codes: str, hit: Hit | None = None) -> Finding:
        body = hit.body if hit and hit.body.code else None
        evidence = [("Your code's signature", computed), *of_hit(hit)]
        if body:
            evidence.append(("What your code signs", body.words))
        return looked_at.say(
            *codes,
            ok=True,
            subject="code",
            evidence=evidence,
            signed_with=signer,
            differs=difference(body.data, looked_at.case.body) if body else None,
        )

    value = looked_at.value
    if computed in ([value, *value.split()] if looked_at.is_standard else [value]):
        return say("comparison")
    wanted = digests(looked_at.rules.scheme, computed)
    if not wanted:
        return say("computed-is-no-signature")
    hit = _find(looked_at, wanted, signer)
    if hit is None:
        fault = _secret_fault(looked_at, signer) if looked_at.case.secret else None
        return say(fault[0] if fault else "computed-unexplained")
    return say(*(hit.codes or ("secret-wrong-token",)), hit=hit)


def _find(looked_at: LookedAt, wanted: dict[bytes, Codes], signer: TriedToken) -> Hit | None:
    case = looked_at.case
    tokens = [signer, *(each for each in case.tokens if each is not signer)]
    bodies = [Body("", "the body as it came", case.body)]
    bodies += [Body(change.code, change.how, change.body) for change in made(case.body)]
    return find(
        wanted,
        keys=keys_of(looked_at.with_given(tokens), standard=looked_at.is_standard),
        messages=looked_at.messages(),
        bodies=bodies,
        log=looked_at.log,
    )
