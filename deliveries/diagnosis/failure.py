"""The classes of failure. Their values are stored with attempts and are part of the API."""

from __future__ import annotations

from django.db.models import TextChoices


class Failure(TextChoices):
    """Why an attempt was no success. The label names it in lists and filters."""

    DNS_FAILED = "dns_failed", "Host name not found"
    # The address is not public, and the operator has not allowed its network.
    ADDRESS_BLOCKED = "address_blocked", "Address not allowed"
    CONNECTION_REFUSED = "connection_refused", "Connection refused"
    # The deadline passed before the connection, TLS included, was there.
    CONNECT_TIMEOUT = "connect_timeout", "No connection in time"
    TLS_EXPIRED = "tls_expired", "Certificate expired"
    TLS_HOSTNAME = "tls_hostname", "Certificate for another host"
    TLS_UNTRUSTED = "tls_untrusted", "Certificate not trusted"
    TLS_FAILED = "tls_failed", "TLS failed"
    # The deadline passed before the response was complete.
    TIMEOUT = "timeout", "No answer in time"
    CONNECTION_RESET = "connection_reset", "Connection broken off"
    BAD_RESPONSE = "bad_response", "Answer was not HTTP"
    REDIRECTED = "redirected", "Answered with a redirect"
    HTTP_4XX = "http_4xx", "Answered 4xx"
    HTTP_5XX = "http_5xx", "Answered 5xx"
    # 410 ends the delivery and suspends the endpoint.
    GONE = "gone", "Answered 410 Gone"
    RATE_LIMITED = "rate_limited", "Answered 429 Too Many Requests"
    # A status below 300 that the platform does not count as success, or one above 599.
    UNEXPECTED_STATUS = "unexpected_status", "Answered another status"
    # The worker ended before it could record the outcome, which is therefore unknown.
    INTERRUPTED = "interrupted", "Cut short on our side"
    # No fault of the receiver: a wrong key, a proxy that is down, a header that cannot be sent.
    INTERNAL = "internal", "Not sent: a fault on our side"


# Each ends the sentence "Its latest attempt …".
_CAUSES: dict[str, str] = {
    Failure.DNS_FAILED: "found no address for its host name",
    Failure.ADDRESS_BLOCKED: "was stopped here: its host has an address that is not allowed",
    Failure.CONNECTION_REFUSED: "was refused: nothing listens at that address and port",
    Failure.CONNECT_TIMEOUT: "got no connection in time",
    Failure.TLS_EXPIRED: "was broken off: the certificate has expired",
    Failure.TLS_HOSTNAME: "was broken off: the certificate is for another host name",
    Failure.TLS_UNTRUSTED: "was broken off: nobody we trust has signed the certificate",
    Failure.TLS_FAILED: "was broken off: no secure connection could be made",
    Failure.TIMEOUT: "got no complete answer in time",
    Failure.CONNECTION_RESET: "was broken off by the other side",
    Failure.BAD_RESPONSE: "got an answer that is not HTTP",
    Failure.REDIRECTED: "was answered with a redirect, which is not followed",
    Failure.INTERRUPTED: "was cut short on our side, and is made again",
    Failure.INTERNAL: "could not be made, by a fault on our side",
}


def failure_name(value: str) -> str:
    """The label of a stored value; a value of a later version is made readable."""
    try:
        return str(Failure(value).label)
    except ValueError:
        return value.replace("_", " ").capitalize()


def describe_latest(failure: str, status_code: int | None) -> str:
    """What the latest attempt of a failing endpoint met, as a sentence."""
    if failure not in _CAUSES and status_code is not None:
        return f"Its latest attempt was answered with HTTP {status_code}."
    return f"Its latest attempt {_CAUSES.get(failure, 'failed')}."
