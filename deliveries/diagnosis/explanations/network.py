"""Explains attempts that brought no complete response, and those that we could not make."""

from __future__ import annotations

import errno

from deliveries.diagnosis.explanations.explanation import (
    NOBODY,
    OPERATOR,
    RECEIVER,
    YOU,
    Explanation,
    clean_line,
)
from deliveries.diagnosis.explanations.facts import AttemptFacts
from deliveries.transport import MAX_CONNECT_SECONDS, MAX_HEADER_BYTES

_UNREACHABLE_ERRNOS = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH})
_TOO_LARGE = 100  # CURLE_TOO_LARGE


def explain_dns_failure(facts: AttemptFacts) -> Explanation:
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


def explain_blocked_address(facts: AttemptFacts) -> Explanation:
    rule = facts.evidence.get("url_rule")
    if rule:
        return Explanation(
            "This URL may not be called",
            f"{clean_line(rule, 400)} Nothing was sent.",
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


def explain_refused_connection(facts: AttemptFacts) -> Explanation:
    number = facts.evidence.get("errno")
    evidence = [("Tried", place) for place in _list_tried_addresses(facts)]
    if number in _UNREACHABLE_ERRNOS:
        return Explanation(
            f"{facts.host} cannot be reached",
            "The network says that there is no way to this address. The host may be down, or its "
            "DNS record may point to an old address.",
            RECEIVER,
            "Check that the DNS record points to the right machine and that the machine is online.",
            evidence,
        )
    cause = f"The machine answered, but nothing there takes connections on port {facts.port}."
    if number != errno.ECONNREFUSED:
        cause = f"No connection to port {facts.port} could be made."
    return Explanation(
        f"{facts.host} refused the connection",
        f"{cause} Usually the receiving program is not running, is just being restarted, or "
        "listens on another port.",
        RECEIVER,
        "Start the receiver, or correct the port in the URL.",
        evidence,
    )


def explain_connect_timeout(facts: AttemptFacts) -> Explanation:
    limit = _format_seconds(min(facts.timeout_seconds, MAX_CONNECT_SECONDS))
    evidence = [("Tried", place) for place in _list_tried_addresses(facts)]
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


def explain_timeout(facts: AttemptFacts) -> Explanation:
    limit = _format_seconds(facts.timeout_seconds)
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
            f"{_describe_progress(facts)} The event may well have been handled; without a complete "
            "answer it cannot count as delivered.",
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


def explain_broken_connection(facts: AttemptFacts) -> Explanation:
    evidence = _status_evidence(facts)
    if facts.evidence.get("sent_again"):
        evidence.append(("Sent twice", "a kept connection was closed, then a new one as well"))
    if facts.status_code is not None:
        return Explanation(
            f"{facts.host} broke off its answer",
            f"{_describe_progress(facts)} The event may well have been handled.",
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


def explain_bad_response(facts: AttemptFacts) -> Explanation:
    message = str(facts.evidence.get("message", ""))
    upgrade = facts.evidence.get("cut") == "upgrade"
    evidence = [
        *([("Status", "HTTP 101")] if upgrade else _status_evidence(facts)),
        *([("What was wrong", clean_line(message))] if message else []),
    ]
    return Explanation(
        f"{facts.host} did not answer in valid HTTP",
        f"{_describe_http_fault(facts)} So it cannot be told whether the event arrived.",
        RECEIVER,
        f"Check that a web server listens on port {facts.port}, and what writes its answer.",
        evidence,
    )


def explain_interruption(facts: AttemptFacts) -> Explanation:
    return Explanation(
        "This attempt was cut short on our side",
        "The sending process ended before it could record what came of the request. It may or "
        "may not have arrived; a receiver that knows the id already can ignore the next one.",
        NOBODY,
        "Nothing to do: what was cut short is sent again, with the same id; only a test is not.",
    )


def explain_own_fault(facts: AttemptFacts) -> Explanation:
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
        "The attempt failed on our side",
        "The receiver is not at fault: this portal could not send the request.",
        OPERATOR,
        "The operator of this portal finds the reason in the log.",
    )


def _list_tried_addresses(facts: AttemptFacts) -> list[str]:
    tried = facts.evidence.get("tried", [])
    return [
        f"[{address}]:{facts.port}" if ":" in address else f"{address}:{facts.port}"
        for address in tried[:5]
    ]


def _describe_progress(facts: AttemptFacts) -> str:
    received = int(facts.evidence.get("bytes_received", 0))
    expected = int(facts.evidence.get("body_bytes_expected", 0))
    if facts.status_code is None:
        return "Only a part of the response's headers came."
    if facts.evidence.get("head_is_cut"):
        return f"HTTP {facts.status_code} came, but only a part of the response's headers."
    if expected:
        return f"HTTP {facts.status_code} came, with {received} of {expected} bytes of the body."
    return f"HTTP {facts.status_code} came, with {received} bytes of a body without end."


def _describe_http_fault(facts: AttemptFacts) -> str:
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


def _status_evidence(facts: AttemptFacts) -> list[tuple[str, str]]:
    return [("Status", f"HTTP {facts.status_code}")] if facts.status_code else []


def _format_seconds(value: float) -> str:
    number = f"{value:g}"
    return f"{number} second" if number == "1" else f"{number} seconds"
