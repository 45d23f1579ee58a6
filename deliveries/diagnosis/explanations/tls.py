"""Explains connections whose encryption could not be agreed on or trusted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deliveries.diagnosis.explanations.explanation import RECEIVER, YOU, Explanation, clean_line
from deliveries.diagnosis.explanations.facts import AttemptFacts

# OpenSSL's numbers for what is wrong with a certificate.
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_ISSUER_UNKNOWN = frozenset({2, 20, 21})
_NOT_YET_VALID = 9


def explain_validity_period(facts: AttemptFacts) -> Explanation:
    certificate = facts.evidence.get("certificate", {})
    if facts.evidence.get("verify_result") == _NOT_YET_VALID:
        starts = _format_day(certificate.get("starts_at"))
        return Explanation(
            f"The certificate of {facts.host} is not valid yet",
            f"It is valid from {starts} on. Nothing was sent over a connection that cannot be "
            "trusted.",
            RECEIVER,
            "Install a certificate that is valid now; check the clock of the machine that made it.",
            _list_certificate(certificate),
        )
    return Explanation(
        f"The certificate of {facts.host} expired on {_format_day(certificate.get('expires_at'))}",
        "An expired certificate proves nothing, so nothing was sent over this connection.",
        RECEIVER,
        "Renew the certificate and have the server load it; if renewal is automatic, find out "
        "why it stopped. What failed can then be resent.",
        _list_certificate(certificate),
    )


def explain_wrong_host_name(facts: AttemptFacts) -> Explanation:
    certificate = facts.evidence.get("certificate", {})
    all_names = certificate.get("names", [])
    names = ", ".join(all_names[:5]) or "no name at all"
    names += f" and {len(all_names) - 5} more" if len(all_names) > 5 else ""
    return Explanation(
        f"The certificate is not for {facts.host}",
        f"The server shows a certificate for {clean_line(names)}, so it cannot be told from an "
        "impostor. Nothing was sent.",
        RECEIVER,
        f"Install a certificate that has {facts.host} among its names, or use in the URL a name "
        "that the certificate has.",
        _list_certificate(certificate),
    )


def explain_untrusted_certificate(facts: AttemptFacts) -> Explanation:
    number = facts.evidence.get("verify_result")
    certificate = facts.evidence.get("certificate", {})
    evidence = _list_certificate(certificate)
    if number == _SELF_SIGNED:
        return Explanation(
            f"The certificate of {facts.host} is self-signed",
            "Nobody but the server itself vouches for it. Nothing was sent.",
            RECEIVER,
            "Install a certificate from a public authority, such as Let's Encrypt. For a private "
            "authority, ask the operator of this portal to trust it.",
            evidence,
        )
    is_alone = certificate.get("chain_length") == 1
    if number in _ISSUER_UNKNOWN and is_alone and certificate.get("issuer_published"):
        return Explanation(
            f"The certificate chain of {facts.host} is incomplete",
            "The server sends its own certificate, but not the intermediate one that links it to "
            "a known authority. Browsers often hide this by fetching it themselves. Nothing was "
            "sent.",
            RECEIVER,
            "Configure the server with the full chain (often called fullchain.pem) instead of the "
            "certificate alone.",
            evidence,
        )
    if number in _ISSUER_UNKNOWN or number == _SELF_SIGNED_IN_CHAIN:
        issuer = clean_line(certificate.get("issuer") or "an authority that is not known")
        return Explanation(
            f"The certificate of {facts.host} comes from an unknown authority",
            f"It was issued by {issuer}, which is not publicly trusted. Nothing was sent.",
            RECEIVER,
            "Install a certificate from a public authority, with its full chain. For a private "
            "authority, ask the operator of this portal to trust it.",
            evidence,
        )
    return Explanation(
        f"The certificate of {facts.host} was not accepted",
        f"The check said: {clean_line(facts.evidence.get('message', 'no reason given'))}. "
        "Nothing was sent.",
        RECEIVER,
        "Install a valid certificate from a public authority.",
        evidence,
    )


def explain_failed_handshake(facts: AttemptFacts) -> Explanation:
    message = str(facts.evidence.get("message", ""))
    lower = message.lower()
    evidence = [("TLS error", clean_line(message))] if message else []
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


def _list_certificate(certificate: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("Certificate for", ", ".join(certificate.get("names", [])) or certificate.get("subject")),
        ("Issued by", certificate.get("issuer")),
        ("Valid from", _format_day(certificate.get("starts_at"))),
        ("Valid until", _format_day(certificate.get("expires_at"))),
    ]
    return [(label, clean_line(value)) for label, value in rows if value]


def _format_day(moment: str | None) -> str:
    """A moment in ISO 8601 as `4 March 2024`; "an unknown day" for none."""
    if not moment:
        return "an unknown day"
    day = datetime.fromisoformat(moment)
    return f"{day.day} {day:%B %Y}"
