"""Explanations of attempts that brought no complete response."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from deliveries.explanations import (
    NOBODY,
    OPERATOR,
    RECEIVER,
    YOU,
    Explanation,
    Facts,
    seconds,
    shown,
)
from deliveries.transport_result import MAX_CONNECT_SECONDS, MAX_HEADER_BYTES

_CONNECTION_REFUSED = 111
_HOST_UNREACHABLE = frozenset({101, 113})
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_ISSUER_UNKNOWN = frozenset({2, 20, 21})
_NOT_YET_VALID = 9
_TOO_LARGE = 100  # CURLE_TOO_LARGE


def dns_failed(facts: Facts) -> Explanation:
    evidence = [("Host name", facts.host)]
    if facts.evidence.get("dns") == "not_found":
        return Explanation(
            f"The host name {facts.host} does not exist",
            "DNS says that there is no address for this name, so nothing was sent.",
            YOU,
            "Check the spelling of the URL. If it is right, its DNS record (A or AAAA) is missing "
            "or has not spread yet: ask whoever runs the domain.",
            evidence,
        )
    return Explanation(
        f"DNS did not answer for {facts.host}",
        "The name servers of this domain gave no answer, or an error, so its address is not known "
        "and nothing was sent. This is often over in minutes.",
        RECEIVER,
        "If it stays, the domain's name servers need a look: is the domain expired, are its name "
        "servers up, is DNSSEC in order?",
        evidence,
    )


def address_blocked(facts: Facts) -> Explanation:
    rule = facts.evidence.get("url_rule")
    if rule:
        return Explanation(
            "This URL may not be called",
            f"{shown(rule, 400)} Nothing was sent.",
            YOU,
            "Change the webhook's URL.",
        )
    return Explanation(
        f"{facts.host} may not be called",
        "The host name leads to an address that is not public, and webhooks are sent to public "
        "internet addresses only. Nothing was sent, and nothing was tried.",
        YOU,
        "Use a URL whose host is public: on your own computer, a tunnel gives you one. If the "
        "receiver is inside a private network on purpose, ask the operator of this portal to "
        "allow that network.",
    )


def connection_refused(facts: Facts) -> Explanation:
    errno = facts.evidence.get("errno")
    evidence = [("Tried", place) for place in _places(facts)]
    if errno in _HOST_UNREACHABLE:
        return Explanation(
            f"{facts.host} cannot be reached",
            "The network says that there is no way to this address. The host may be down, or its "
            "DNS record may point to an old address.",
            RECEIVER,
            "Check that the DNS record points to the right machine and that the machine is online.",
            evidence,
        )
    cause = f"The machine answered, but nothing there takes connections on port {facts.port}."
    if errno != _CONNECTION_REFUSED:
        cause = f"No connection to port {facts.port} could be made."
    return Explanation(
        f"{facts.host} refused the connection",
        f"{cause} Usually the receiving program is not running, is just being restarted, or "
        "listens on another port.",
        RECEIVER,
        "Start the receiver, or correct the port in the URL.",
        evidence,
    )


def connect_timeout(facts: Facts) -> Explanation:
    limit = seconds(min(facts.timeout_seconds, MAX_CONNECT_SECONDS))
    evidence = [("Tried", place) for place in _places(facts)]
    if facts.evidence.get("phase") == "tls":
        return Explanation(
            f"The TLS handshake with {facts.host} was not finished within {limit}",
            "A connection was made, but the encryption was never agreed on. The server is "
            f"overloaded, or what listens on port {facts.port} does not speak TLS.",
            RECEIVER,
            "Check that the port in the URL is the https one, and that the server is not "
            "overloaded.",
            evidence,
        )
    return Explanation(
        f"No connection to {facts.host} within {limit}",
        "Nothing answered, not even with a refusal. Usually a firewall drops the packets, the "
        "machine is off, or DNS points to an old address.",
        RECEIVER,
        f"Open port {facts.port} to the internet, or allow this portal's addresses in the "
        "firewall, and check the DNS record.",
        evidence,
    )


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


def timeout(facts: Facts) -> Explanation:
    limit = seconds(facts.timeout_seconds)
    phase = facts.evidence.get("phase")
    if phase == "send":
        return Explanation(
            f"{facts.host} did not take the request within {limit}",
            "A connection was made, but the receiver stopped reading before it had the whole "
            "request. It is overloaded or stuck.",
            RECEIVER,
            "Check the load of the receiver, and limits in what stands before it.",
            [("Time allowed", limit)],
        )
    if phase == "read":
        return Explanation(
            f"{facts.host} began to answer, but did not finish within {limit}",
            f"{_how_far(facts)} The event may well have been handled; without a complete answer "
            "it cannot count as delivered.",
            RECEIVER,
            "Send a short answer with its Content-Length and end it; do long work after the "
            "answer.",
            [*_status_evidence(facts), ("Time allowed", limit)],
        )
    return Explanation(
        f"{facts.host} did not answer within {limit}",
        "The request was sent in full, but no answer came. The event may well have been handled. "
        "Most often the handler does its work first and answers last.",
        RECEIVER,
        "Answer as soon as the request is stored, and do the work afterwards, in a queue. The same "
        "event may come again, with the same id: handle it once.",
        [("Time allowed", limit)],
    )


def connection_reset(facts: Facts) -> Explanation:
    evidence = _status_evidence(facts)
    if facts.evidence.get("sent_again"):
        evidence.append(("Sent twice", "a kept connection was closed, then a new one as well"))
    if facts.status_code is not None:
        return Explanation(
            f"{facts.host} broke off its answer",
            f"{_how_far(facts)} The event may well have been handled.",
            RECEIVER,
            "Look in the receiver's log for a crash at this time, and for limits in what stands "
            "before it.",
            evidence,
        )
    return Explanation(
        f"{facts.host} closed the connection without an answer",
        "The request was sent, then the receiver hung up. Usually its program crashed on this "
        "request or was being restarted, or a firewall cut the connection.",
        RECEIVER,
        "Look in the receiver's log for a crash at this time. If the port speaks https only, the "
        "URL must begin with https://.",
        [("How far it got", "the request was sent, and nothing came back"), *evidence],
    )


def bad_response(facts: Facts) -> Explanation:
    message = str(facts.evidence.get("message", ""))
    upgrade = facts.evidence.get("cut") == "upgrade"
    evidence = [
        *([("Status", "HTTP 101")] if upgrade else _status_evidence(facts)),
        *([("What was wrong", shown(message))] if message else []),
    ]
    return Explanation(
        f"{facts.host} did not answer in valid HTTP",
        f"{_what_is_wrong(facts)} So it cannot be told whether the event arrived.",
        RECEIVER,
        f"Check that a web server listens on port {facts.port}, and what writes its answer.",
        evidence,
    )


def interrupted(facts: Facts) -> Explanation:
    return Explanation(
        "This attempt was cut short on our side",
        "The sending process ended before it could record what came of the request. It may or "
        "may not have arrived; a receiver that knows the id already can ignore the next one.",
        NOBODY,
        "Nothing to do: what was cut short is sent again, with the same id; only a test is not.",
    )


def internal(facts: Facts) -> Explanation:
    if facts.evidence.get("reason") == "wrong_key":
        return Explanation(
            "The request could not be signed",
            "This portal cannot read the webhook's signing token, and sends nothing that is "
            "signed wrongly.",
            OPERATOR,
            "The operator of this portal must restore the secret key that the token was stored "
            "with.",
        )
    return Explanation(
        "The request failed on our side",
        "The receiver is not at fault: this portal could not send the request.",
        OPERATOR,
        "The operator of this portal finds the reason in the log.",
    )


NETWORK_EXPLANATIONS: dict[str, Callable[[Facts], Explanation]] = {
    "dns_failed": dns_failed,
    "address_blocked": address_blocked,
    "connection_refused": connection_refused,
    "connect_timeout": connect_timeout,
    "tls_expired": tls_expired,
    "tls_hostname": tls_hostname,
    "tls_untrusted": tls_untrusted,
    "tls_failed": tls_failed,
    "timeout": timeout,
    "connection_reset": connection_reset,
    "bad_response": bad_response,
    "interrupted": interrupted,
    "internal": internal,
}


def _places(facts: Facts) -> list[str]:
    tried = facts.evidence.get("tried", [])
    return [f"[{a}]:{facts.port}" if ":" in a else f"{a}:{facts.port}" for a in tried[:5]]


def _how_far(facts: Facts) -> str:
    received = int(facts.evidence.get("bytes_received", 0))
    expected = int(facts.evidence.get("body_bytes_expected", 0))
    if facts.status_code is None:
        return "Only a part of the response's headers came."
    if facts.evidence.get("head_is_cut"):
        return f"HTTP {facts.status_code} came, but only a part of the response's headers."
    if expected:
        return f"HTTP {facts.status_code} came, with {received} of {expected} bytes of the body."
    return f"HTTP {facts.status_code} came, with {received} bytes of a body without end."


def _what_is_wrong(facts: Facts) -> str:
    message, cut = str(facts.evidence.get("message", "")), facts.evidence.get("cut")
    if cut == "upgrade":
        return "It answered 101 Switching Protocols, as to a WebSocket, which nobody asked for."
    if cut == "status":
        return "Its first line is not that of an HTTP/1.1 response."
    if cut == "headers" or facts.evidence.get("curl_code") == _TOO_LARGE:
        return f"Its headers are too many, or longer than {MAX_HEADER_BYTES // 1024} KiB."
    if "HTTP/0.9" in message:
        return "The answer does not begin like an HTTP response: another service may listen there."
    if "missing" in message or "outstanding" in message:
        return "The answer ended before the length that it had announced."
    return "The answer breaks the rules of HTTP/1.1."


def _status_evidence(facts: Facts) -> list[tuple[str, str]]:
    return [("Status", f"HTTP {facts.status_code}")] if facts.status_code else []


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
