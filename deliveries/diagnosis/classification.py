"""Classifies what an attempt brought back: success, or a class of failure. Pure.

This is all that the dispatcher needs of this room: nothing that explains is imported here.
"""

from __future__ import annotations

import errno
import re
from typing import Any, Literal, NamedTuple

from deliveries.diagnosis.failure import Failure
from deliveries.transport import TransportError, TransportResult

# libcurl's numbers, as in <curl/curl.h>.
_RESOLVE_PROXY, _RESOLVE_HOST, _CONNECT = 5, 6, 7
_PARTIAL_FILE, _TIMED_OUT, _TLS_CONNECT = 18, 28, 35
_GOT_NOTHING, _SEND, _RECEIVE, _SEND_AGAIN = 52, 55, 56, 65
_NOT_VERIFIED = 60
_NOT_HTTP = frozenset({1, 8, 16, 23, 61, 92, 95, 100, _PARTIAL_FILE})
_RESET_ERRNOS = frozenset({errno.EPIPE, errno.ECONNABORTED, errno.ECONNRESET})
# OpenSSL's numbers, as in <openssl/x509_vfy.h>; the first two are CERT_NOT_YET_VALID and
# CERT_HAS_EXPIRED.
_X509_V_ERR_OUTSIDE_VALIDITY = frozenset({9, 10})
_X509_V_ERR_HOSTNAME_MISMATCH = 62
_X509_V_ERR_IP_ADDRESS_MISMATCH = 64
_PROXY_RESPONSE = re.compile(r"CONNECT tunnel failed, response (\d+)")


class Verdict(NamedTuple):
    """What an attempt counts as.

    failure: None on success. evidence: JSON-able; what stands under "operator_only" is not for
    tenants, as it tells about the inside of the network. A named tuple, because it is made for
    every attempt and a frozen dataclass takes five times as long to make.
    """

    outcome: Literal["succeeded", "failed", "unknown"]
    failure: Failure | None
    evidence: dict[str, Any]


def classify(result: TransportResult, *, success_codes: frozenset[int] | None) -> Verdict:
    """The verdict on a result.

    success_codes: the statuses that the platform counts as success, None for any 2xx.
    """
    evidence = _collect_evidence(result)
    error, status = result.error, result.status_code
    is_success = status is not None and _counts_as_success(status, success_codes)
    if status is not None and not is_success:
        # The status says more than how the rest of the response went.
        return Verdict("failed", _classify_status(status), evidence)
    if error is not None:
        return Verdict("failed", _classify_error(error), evidence)
    if is_success:
        return Verdict("succeeded", None, evidence)
    return Verdict("failed", Failure.BAD_RESPONSE, evidence)


def _counts_as_success(status: int, success_codes: frozenset[int] | None) -> bool:
    return 200 <= status <= 299 if success_codes is None else status in success_codes


def _classify_status(status: int) -> Failure:
    if status in (410, 429):
        return Failure.GONE if status == 410 else Failure.RATE_LIMITED
    classes = {3: Failure.REDIRECTED, 4: Failure.HTTP_4XX, 5: Failure.HTTP_5XX}
    return classes.get(status // 100, Failure.UNEXPECTED_STATUS)


def _classify_error(error: TransportError) -> Failure:
    if error.blocked_reason is not None:
        return Failure.ADDRESS_BLOCKED
    if "own_fault" in error.evidence:
        return Failure.INTERNAL
    if proxy_response := _PROXY_RESPONSE.search(error.message):
        is_forbidden = proxy_response[1] in ("403", "407")
        return Failure.ADDRESS_BLOCKED if is_forbidden else Failure.CONNECTION_REFUSED
    if error.code == _RESOLVE_PROXY:
        return Failure.INTERNAL
    if error.code == _RESOLVE_HOST:
        return Failure.DNS_FAILED
    if error.code == _CONNECT:
        # Through a proxy, it is the proxy that cannot be reached.
        return (
            Failure.INTERNAL
            if error.evidence.get("through_proxy")
            else _classify_connect_error(error)
        )
    if error.code == _TIMED_OUT:
        return {
            "dns": Failure.DNS_FAILED,
            "connect": Failure.CONNECT_TIMEOUT,
            "tls": Failure.CONNECT_TIMEOUT,
        }.get(error.phase, Failure.TIMEOUT)
    if error.code == _NOT_VERIFIED:
        return _classify_certificate_error(error)
    if error.code == _TLS_CONNECT:
        return Failure.TLS_FAILED
    return _classify_exchange_error(error)


def _classify_connect_error(error: TransportError) -> Failure:
    timed_out = error.evidence.get("errno") == errno.ETIMEDOUT
    return Failure.CONNECT_TIMEOUT if timed_out else Failure.CONNECTION_REFUSED


def _classify_certificate_error(error: TransportError) -> Failure:
    number = error.evidence.get("verify_result")
    if number in _X509_V_ERR_OUTSIDE_VALIDITY:
        return Failure.TLS_EXPIRED
    if number in (_X509_V_ERR_HOSTNAME_MISMATCH, _X509_V_ERR_IP_ADDRESS_MISMATCH):
        return Failure.TLS_HOSTNAME
    return Failure.TLS_HOSTNAME if "subject name" in error.message else Failure.TLS_UNTRUSTED


def _classify_exchange_error(error: TransportError) -> Failure:
    """The failure of an exchange over a connection that was made: broken off, or not HTTP."""
    if error.code in (_GOT_NOTHING, _SEND, _SEND_AGAIN):
        return Failure.CONNECTION_RESET
    if error.code == _RECEIVE:
        broken_off = error.evidence.get("errno") in _RESET_ERRNOS or "eof" in error.message
        if broken_off:
            return Failure.CONNECTION_RESET
        return Failure.TLS_FAILED if "SSL" in error.message else Failure.BAD_RESPONSE
    return Failure.BAD_RESPONSE if error.code in _NOT_HTTP else Failure.INTERNAL


def _collect_evidence(result: TransportResult) -> dict[str, Any]:
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
        return evidence | _collect_evidence_of_block(error)
    if "own_fault" in error.evidence:
        evidence["operator_only"] = {"message": error.message, **error.evidence}
        return evidence
    return evidence | {"message": error.message} | error.evidence


def _collect_evidence_of_block(error: TransportError) -> dict[str, Any]:
    rule = error.evidence.get("url_rule")
    if rule is not None:
        return {"url_rule": rule}
    return {
        "operator_only": {"address": error.blocked_address, "reason": error.blocked_reason},
    }
