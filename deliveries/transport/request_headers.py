"""Header lines for libcurl, without any header that could change the request's framing."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
# Line breaks and NUL would end the value; no other control has a place in one (RFC 9110, 5.5).
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Written by the transport itself, from the URL and the body.
_FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# An empty line keeps libcurl from adding its own header to a POST.
_NO_DEFAULTS = [b"Accept:", b"Expect:"]


class UnsendableHeader(ValueError):
    """A header that must not be sent; str() says which and why, without its value."""


def header_lines(headers: tuple[tuple[str, str], ...], user_agent: str) -> list[bytes]:
    """Lines for CURLOPT_HTTPHEADER, in order; user_agent is used if no User-Agent is given.

    Raises UnsendableHeader.
    """
    lines = list(_NO_DEFAULTS)
    given = set()
    for name, value in headers:
        given.add(_validated_name(name))
        if not value.isprintable() and _CONTROLS.search(value):
            raise UnsendableHeader(f"The value of {name} contains a control character.")
        try:
            # libcurl sends "Name;" as a header with an empty value, and leaves "Name:" out.
            lines.append(
                (f"{name}: {value}" if value.strip(" \t") else f"{name};").encode("latin-1")
            )
        except UnicodeEncodeError as error:
            raise UnsendableHeader(f"The value of {name} is not Latin-1.") from error
    if "user-agent" not in given:
        lines.append(f"User-Agent: {user_agent}".encode("latin-1"))
    if "content-type" not in given:
        lines.append(b"Content-Type:")
    return lines


@lru_cache(maxsize=1024)
def _validated_name(name: str) -> str:
    """The name in lower case; raises UnsendableHeader."""
    if not _TOKEN.fullmatch(name):
        raise UnsendableHeader(f"{name!r} is not a header name.")
    if name.lower() in _FRAMING or name.lower().startswith("proxy-"):
        raise UnsendableHeader(f"{name} is written by the transport and cannot be given.")
    return name.lower()
