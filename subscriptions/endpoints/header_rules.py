"""Custom headers of an endpoint: which may be set, and which are masked when they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from subscriptions.errors import Refused

MAX_HEADERS = 20
MAX_NAME_LENGTH = 100
MAX_VALUE_LENGTH = 2_000
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, token
_VALUE = re.compile(r"[\x21-\x7e\xa0-\xff](?:[\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?")
_PROTOCOL_HEADERS = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "http2-settings",
]
_SIGNATURE_HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-clawget-signature"]
_RESERVED = frozenset([*_PROTOCOL_HEADERS, *_SIGNATURE_HEADERS])
_RESERVED_PREFIX = "proxy-"
_SENSITIVE = re.compile(r"auth|token|secret|key|password|cookie|signature", re.IGNORECASE)


def check_headers(
    headers: Iterable[tuple[str, str]], *, signature_header: str
) -> list[tuple[str, str]]:
    """The headers as they are. Raises Refused, naming the first one that cannot be set.

    signature_header: the name of the platform's own, "" if it has none.
    """
    checked: list[tuple[str, str]] = []
    seen: set[str] = set()
    for name, value in headers:
        fault = _find_fault(name, value, seen, signature_header)
        if fault:
            raise Refused(fault, code="header_not_allowed", pointer="/headers")
        seen.add(name.lower())
        checked.append((name, value))
    if len(checked) > MAX_HEADERS:
        raise Refused(
            f"{len(checked)} custom headers: at most {MAX_HEADERS} are allowed.",
            code="header_not_allowed",
            pointer="/headers",
        )
    return checked


def _find_fault(name: str, value: str, seen: set[str], signature_header: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        return f"{name[:40]!r} is not a header name: use letters, digits and hyphens, up to 100."
    if is_reserved(name, signature_header):
        return f"The header {name} is set by the portal itself and cannot be given."
    if name.lower() in seen:
        return f"The header {name} is given twice: give it once."
    if value and (not _VALUE.fullmatch(value) or len(value) > MAX_VALUE_LENGTH):
        return (
            f"The value of {name} has characters that a header cannot carry, spaces around it, or "
            f"over {MAX_VALUE_LENGTH} characters."
        )
    return ""


def is_reserved(name: str, signature_header: str) -> bool:
    """Whether a header is set by the portal or by HTTP itself.

    signature_header: the name of the platform's own, "" if it has none.
    """
    lower = name.lower()
    return (
        lower in _RESERVED
        or lower.startswith(_RESERVED_PREFIX)
        or lower == signature_header.lower()
    )


def is_sensitive(name: str) -> bool:
    """Whether the header's value is a secret, which is masked wherever it is shown."""
    return bool(_SENSITIVE.search(name))


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers, with the values of those masked whose names say that they are secret."""
    return [(name, "••••" if is_sensitive(name) else value) for name, value in headers]
