"""What came of an attempt: its failure class, and its explanation in plain words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from deliveries.diagnosis.explanation import Explanation, Facts
from deliveries.diagnosis.http import HTTP_EXPLANATIONS, explain_success
from deliveries.diagnosis.network import NETWORK_EXPLANATIONS
from deliveries.diagnosis.tls import TLS_EXPLANATIONS
from deliveries.transport.result import TransportError, TransportResult

__all__ = ["Explanation", "Verdict", "classify", "explain"]

# libcurl's numbers, as in <curl/curl.h>.
_RESOLVE_PROXY, _RESOLVE_HOST, _CONNECT = 5, 6, 7
_PARTIAL_FILE, _TIMED_OUT, _TLS_CONNECT = 18, 28, 35
_GOT_NOTHING, _SEND, _RECEIVE, _SEND_AGAIN = 52, 55, 56, 65
_NOT_VERIFIED = 60
_NOT_HTTP = frozenset({1, 8, 16, 23, 61, 92, 95, 100, _PARTIAL_FILE})
_RESET_ERRNOS = frozenset({32, 103, 104})  # EPIPE, ECONNABORTED, ECONNRESET
# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_OUTSIDE_VALIDITY = frozenset({9, 10})
_X509_V_ERR_HOSTNAME_MISMATCH = 62
_X509_V_ERR_IP_ADDRESS_MISMATCH = 64
_PROXY_ANSWER = re.compile(r"CONNECT tunnel failed, response (\d+)")

_EXPLANATIONS: dict[str, Callable[[Facts], Explanation]] = {
    **NETWORK_EXPLANATIONS,
    **TLS_EXPLANATIONS,
    **HTTP_EXPLANATIONS,
}


class Verdict(NamedTuple):
    """failure: a class of API.md, None on success. evidence: JSON-able; what stands under
    "operator_only" is not for tenants, as it tells about the inside of the network. A named tuple
    for the reason that results are."""

    outcome: Literal["succeeded", "failed", "unknown"]
    failure: str | None
    evidence: dict[str, Any]


def classify(result: TransportResult, *, success_codes: frozenset[int] | None) -> Verdict:
    """success_codes: the statuses that the platform counts, None for any 2xx."""
    evidence = _evidence(result)
    error, status = result.error, result.status_code
    counts = status is not None and _is_success(status, success_codes)
    if status is not None and not counts:
        # The status says more than how the rest of the response went.
        return Verdict("failed", _status_failure(status), evidence)
    if error is not None:
        return Verdict("failed", _transport_failure(error), evidence)
    if counts:
        return Verdict("succeeded", None, evidence)
    return Verdict("failed", "bad_response", evidence)


def explain(
    *,
    failure: str | None,
    status_code: int | None,
    evidence: Mapping[str, Any],
    platform_title: str,
    url: str,
    success_codes: frozenset[int] | None,
    timeout_seconds: float,
    response_body: bytes,
    response_headers: tuple[tuple[str, str], ...],
) -> Explanation:
    """The card for one attempt; failure None or "" is a success. Fit for tenants: it repeats
    nothing of evidence["operator_only"]."""
    facts = Facts(
        failure=failure or None,
        status_code=status_code,
        evidence=evidence,
        platform_title=platform_title,
        url=url,
        success_codes=success_codes,
        timeout_seconds=timeout_seconds,
        response_body=response_body,
        response_headers=response_headers,
    )
    if facts.failure is None:
        return explain_success(facts)
    return _EXPLANATIONS.get(facts.failure, _EXPLANATIONS["internal"])(facts)


def _is_success(status: int, success_codes: frozenset[int] | None) -> bool:
    return 200 <= status <= 299 if success_codes is None else status in success_codes


def _status_failure(status: int) -> str:
    if status in (410, 429):
        return "gone" if status == 410 else "rate_limited"
    classes = {3: "redirected", 4: "http_4xx", 5: "http_5xx"}
    return classes.get(status // 100, "unexpected_status")


def _transport_failure(error: TransportError) -> str:
    if error.blocked_reason is not None:
        return "address_blocked"
    if "own_fault" in error.evidence:
        return "internal"
    if proxy_answer := _PROXY_ANSWER.search(error.message):
        return "address_blocked" if proxy_answer[1] in ("403", "407") else "connection_refused"
    if error.code == _RESOLVE_PROXY:
        return "internal"
    if error.code == _RESOLVE_HOST:
        return "dns_failed"
    if error.code == _CONNECT:
        # Through a proxy, it is the proxy that cannot be reached.
        return "internal" if error.evidence.get("through_proxy") else _connect_failure(error)
    if error.code == _TIMED_OUT:
        return {"dns": "dns_failed", "connect": "connect_timeout", "tls": "connect_timeout"}.get(
            error.phase, "timeout"
        )
    if error.code == _NOT_VERIFIED:
        return _certificate_failure(error)
    if error.code == _TLS_CONNECT:
        return "tls_failed"
    return _conversation_failure(error)


def _connect_failure(error: TransportError) -> str:
    timed_out = error.evidence.get("errno") == 110  # the system's own ETIMEDOUT
    return "connect_timeout" if timed_out else "connection_refused"


def _certificate_failure(error: TransportError) -> str:
    number = error.evidence.get("verify_result")
    if number in _OUTSIDE_VALIDITY:
        return "tls_expired"
    if number in (_X509_V_ERR_HOSTNAME_MISMATCH, _X509_V_ERR_IP_ADDRESS_MISMATCH):
        return "tls_hostname"
    return "tls_hostname" if "subject name" in error.message else "tls_untrusted"


def _conversation_failure(error: TransportError) -> str:
    """After the connection was made: broken off, or nonsense."""
    if error.code in (_GOT_NOTHING, _SEND, _SEND_AGAIN):
        return "connection_reset"
    if error.code == _RECEIVE:
        broken_off = error.evidence.get("errno") in _RESET_ERRNOS or "eof" in error.message
        if broken_off:
            return "connection_reset"
        return "tls_failed" if "SSL" in error.message else "bad_response"
    return "bad_response" if error.code in _NOT_HTTP else "internal"


def _evidence(result: TransportResult) -> dict[str, Any]:
    evidence: dict[str, Any] = {}
    if result.certificate_expires_at is not None:
        evidence["certificate_expires_at"] = result.certificate_expires_at.isoformat()
    if result.sent_again:
        evidence["sent_again"] = True
    error = result.error
    if error is None:
        return evidence
    evidence["phase"] = error.phase
    evidence["curl_code"] = error.code
    if error.blocked_reason is not None:
        return evidence | _blocked_evidence(error)
    if "own_fault" in error.evidence:
        evidence["operator_only"] = {"message": error.message, **error.evidence}
        return evidence
    return evidence | {"message": error.message} | error.evidence


def _blocked_evidence(error: TransportError) -> dict[str, Any]:
    rule = error.evidence.get("url_rule")
    if rule is not None:
        return {"url_rule": rule}
    return {
        "operator_only": {"address": error.blocked_address, "reason": error.blocked_reason},
    }
