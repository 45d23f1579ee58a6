"""The classes of failure, in a few words each: for filters, lists and causes."""

from __future__ import annotations

FAILURES = {
    "dns_failed": "Host name not found",
    "address_blocked": "Address not allowed",
    "connection_refused": "Connection refused",
    "connect_timeout": "No connection in time",
    "tls_expired": "Certificate expired",
    "tls_hostname": "Certificate for another host",
    "tls_untrusted": "Certificate not trusted",
    "tls_failed": "TLS failed",
    "timeout": "No answer in time",
    "connection_reset": "Connection broken off",
    "bad_response": "Answer was not HTTP",
    "redirected": "Answered with a redirect",
    "http_4xx": "Answered 4xx",
    "http_5xx": "Answered 5xx",
    "gone": "Answered 410 Gone",
    "rate_limited": "Answered 429 Too Many Requests",
    "unexpected_status": "Answered another status",
    "interrupted": "Cut short on our side",
    "internal": "Not sent: a fault on our side",
}

# The same as the end of "Its latest request …".
_CAUSES = {
    "dns_failed": "found no address for its host name",
    "address_blocked": "was stopped here: its host has an address that is not allowed",
    "connection_refused": "was refused: nothing listens at that address and port",
    "connect_timeout": "got no connection in time",
    "tls_expired": "was broken off: the certificate has expired",
    "tls_hostname": "was broken off: the certificate is for another host name",
    "tls_untrusted": "was broken off: nobody we trust has signed the certificate",
    "tls_failed": "was broken off: no secure connection could be made",
    "timeout": "got no complete answer in time",
    "connection_reset": "was broken off by the other side",
    "bad_response": "got an answer that is not HTTP",
    "redirected": "was answered with a redirect, which is not followed",
    "interrupted": "was cut short on our side, and is made again",
    "internal": "could not be made, by a fault on our side",
}


def failure_name(failure: str) -> str:
    return FAILURES.get(failure, failure.replace("_", " ").capitalize())


def cause(failure: str, status_code: int | None) -> str:
    """What the latest request of a failing endpoint met, in words."""
    if failure not in _CAUSES and status_code is not None:
        return f"Its latest request was answered with HTTP {status_code}."
    return f"Its latest request {_CAUSES.get(failure, 'failed')}."
