"""Explanations of connections whose encryption could not be agreed on or trusted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from deliveries.diagnosis.explanation import RECEIVER, YOU, Explanation, Facts, shown

# OpenSSL's numbers for what is wrong with a certificate.
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_ISSUER_UNKNOWN = frozenset({2, 20, 21})
_NOT_YET_VALID = 9


def tls_expired(facts: Facts) -> Explanation:
    certificate = facts.evidence.get("certificate", {})
    if facts.evidence.get("verify_result") == _NOT_YET_VALID:
        starts = _day(certificate.get("starts_at"))
        return Explanation(
            f"The certificate of {facts.host} is not valid yet",
            f"It is valid from {starts} on. Nothing was sent over a connection that cannot be "
            "trusted.",
            RECEIVER,
            "Install a certificate that is valid now; check the clock of the machine that made it.",
            _certificate_evidence(certificate),
        )
    return Explanation(
        f"The certificate of {facts.host} expired on {_day(certificate.get('expires_at'))}",
        "An expired certificate proves nothing, so nothing was sent over this connection.",
        RECEIVER,
        "Renew the certificate and have the server load it; if renewal is automatic, find out "
        "why it stopped. What failed can then be resent.",
        _certificate_evidence(certificate),
    )


def tls_hostname(facts: Facts) -> Explanation:
    certificate = facts.evidence.get("certificate", {})
    has = certificate.get("names", [])
    names = ", ".join(has[:5]) or "no name at all"
    names += f" and {len(has) - 5} more" if len(has) > 5 else ""
    return Explanation(
        f"The certificate is not for {facts.host}",
        f"The server shows a certificate for {shown(names)}, so it cannot be told from an "
        "impostor. Nothing was sent.",
        RECEIVER,
        f"Install a certificate that has {facts.host} among its names, or use in the URL a name "
        "that the certificate has.",
        _certificate_evidence(certificate),
    )


def tls_untrusted(facts: Facts) -> Explanation:
    number = facts.evidence.get("verify_result")
    certificate = facts.evidence.get("certificate", {})
    evidence = _certificate_evidence(certificate)
    nothing = "Nothing was sent."
    if number == _SELF_SIGNED:
        return Explanation(
            f"The certificate of {facts.host} is self-signed",
            f"Nobody but the server itself vouches for it. {nothing}",
            RECEIVER,
            "Install a certificate from a public authority, such as Let's Encrypt. For a private "
            "authority, ask the operator of this portal to trust it.",
            evidence,
        )
    alone = certificate.get("chain_length") == 1
    if number in _ISSUER_UNKNOWN and alone and certificate.get("issuer_published"):
        return Explanation(
            f"The certificate chain of {facts.host} is incomplete",
            "The server sends its own certificate, but not the intermediate one that links it to "
            f"a known authority. Browsers often hide this by fetching it themselves. {nothing}",
            RECEIVER,
            "Configure the server with the full chain (often called fullchain.pem) instead of the "
            "certificate alone.",
            evidence,
        )
    if number in _ISSUER_UNKNOWN or number == _SELF_SIGNED_IN_CHAIN:
        issuer = shown(certificate.get("issuer") or "an authority that is not known")
        return Explanation(
            f"The certificate of {facts.host} comes from an unknown authority",
            f"It was issued by {issuer}, which is not publicly trusted. {nothing}",
            RECEIVER,
            "Install a certificate from a public authority, with its full chain. For a private "
            "authority, ask the operator of this portal to trust it.",
            evidence,
        )
    return Explanation(
        f"The certificate of {facts.host} was not accepted",
        f"The check said: {shown(facts.evidence.get('message', 'no reason given'))}. {nothing}",
        RECEIVER,
        "Install a valid certificate from a public authority.",
        evidence,
    )


def tls_failed(facts: Facts) -> Explanation:
    message = str(facts.evidence.get("message", ""))
    lower = message.lower()
    evidence = [("TLS error", shown(message))] if message else []
    if "protocol version" in lower or "unsupported protocol" in lower:
        return Explanation(
            f"{facts.host} speaks only an outdated version of TLS",
            "Connections are made with TLS 1.2 or 1.3; older versions are no longer safe. Nothing "
            "was sent.",
            RECEIVER,
            "Enable TLS 1.2 or 1.3 on the server.",
            evidence,
        )
    if any(sign in lower for sign in ("wrong version number", "packet length", "http request")):
        return Explanation(
            f"{facts.host} does not speak TLS on port {facts.port}",
            "The URL says https, but the answer on this port is not encrypted. Nothing was sent.",
            YOU,
            "Use the port that serves https, or http:// if the platform allows it.",
            evidence,
        )
    return Explanation(
        f"No encrypted connection to {facts.host} could be made",
        "A connection was made, but the TLS handshake failed or was broken off by the receiver. "
        "Nothing was sent.",
        RECEIVER,
        "Check the server's TLS set-up: does it know this host name (SNI), has it a certificate, "
        "does it demand one from the client?",
        evidence,
    )


TLS_EXPLANATIONS: dict[str, Callable[[Facts], Explanation]] = {
    "tls_expired": tls_expired,
    "tls_hostname": tls_hostname,
    "tls_untrusted": tls_untrusted,
    "tls_failed": tls_failed,
}


def _certificate_evidence(certificate: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("Certificate for", ", ".join(certificate.get("names", [])) or certificate.get("subject")),
        ("Issued by", certificate.get("issuer")),
        ("Valid from", _day(certificate.get("starts_at"))),
        ("Valid until", _day(certificate.get("expires_at"))),
    ]
    return [(label, shown(value)) for label, value in rows if value]


def _day(moment: str | None) -> str:
    """An ISO 8601 moment as 4 March 2024; "an unknown day" where there is none."""
    if not moment:
        return "an unknown day"
    day = datetime.fromisoformat(moment)
    return f"{day.day} {day:%B %Y}"
