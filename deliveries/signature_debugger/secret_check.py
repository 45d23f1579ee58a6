"""Whether the secret that a receiver's code has is the token that signed, and what it is if not."""

from __future__ import annotations

from collections.abc import Iterable

from deliveries.signature_debugger.search import TriedToken, misused
from subscriptions.catalogue.verifying_code import PLACEHOLDER
from subscriptions.endpoints.signing_token_format import WHSEC_PREFIX
from subscriptions.publisher_token_format import PREFIX as PUBLISHER_PREFIX

# A part as long as this is no guess: telling a shorter one would give the token away bit by bit.
_MAX_GUESS = 20


def secret_fault(
    secret: str, signer: TriedToken, tokens: Iterable[TriedToken], *, standard: bool
) -> tuple[str, str] | None:
    """The verdict's code, and what the secret is, in words; None where it is the signer.

    Nothing in the words repeats the secret.
    """
    known = [signer, *(token for token in tokens if token is not signer)]
    for token in known:
        if secret == token.token or (standard and secret == _bare(token.token)):
            is_signer = token.token == signer.token
            return None if is_signer else ("secret-wrong-token", token.label)
    for token in known:
        for code, key, how in misused(token.token, standard=standard):
            if key == secret.encode("utf-8", "surrogatepass"):
                return code, f"{token.label}, {how}"
    if secret.strip().startswith(PUBLISHER_PREFIX):
        return "secret-is-publisher-token", ""
    if secret.strip() in ("", "undefined", "null", "None", "nil"):
        return "secret-missing", ""
    if PLACEHOLDER in secret:
        return "secret-placeholder", ""
    if len(secret) >= _MAX_GUESS:
        for token in known:
            if secret in token.token:
                words = f"{len(secret)} of the {len(token.token)} characters of {token.label}"
                return "secret-cut", words
    return "secret-unknown", ""


def _bare(token: str) -> str:
    return token.removeprefix(WHSEC_PREFIX)
