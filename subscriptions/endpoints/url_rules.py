"""Which URLs an endpoint may have, and the one spelling of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote

import idna

from subscriptions.endpoints.addresses import IPNetwork, find_address_fault
from subscriptions.errors import Refused

MAX_URL_LENGTH = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.S)
# Spaces of every alphabet, controls (C0, DEL, C1), invisible characters, lone surrogates.
_FORBIDDEN = re.compile(
    r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
# RFC 6762, RFC 8375, and the name that ICANN has set aside: no public DNS has anything below them.
_PRIVATE_SUFFIXES = (".local", ".localdomain", ".internal", ".home.arpa")
# What RFC 3986 lets stand in a path or a query, and "%", which is taken as already encoded.
_SAFE_IN_PATH = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True)  # without slots, for the cached properties
class EndpointURL:
    """A URL in its parts.

    host: ASCII in lower case; an IP address in its shortest spelling and without brackets.
    address: the host if it is an IP address, else None.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: str | None

    @cached_property
    def authority(self) -> str:
        """The host as a Host header has it: with the port, unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @cached_property
    def text(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    def __str__(self) -> str:
        return self.text


def check_url(
    url: str,
    *,
    https_required: bool,
    own_hosts: frozenset[str],
    allowed_networks: Sequence[IPNetwork] = (),
) -> str:
    """The URL in its one spelling; raises Refused (url_not_allowed) with the reason in words.

    own_hosts: the portal's own names, each for all ports ("portal.example") or for one
    ("localhost:8000"); nothing is sent to them. Names are not resolved here: their addresses are
    checked whenever something is sent.
    """
    parts = parse_url(url)
    if https_required and parts.scheme != "https":
        raise _refused("http:// is not allowed: this platform sends to https:// only.")
    check_target(parts, own_hosts=own_hosts, allowed_networks=allowed_networks)
    return str(parts)


def check_target(
    parts: EndpointURL, *, own_hosts: frozenset[str], allowed_networks: Sequence[IPNetwork]
) -> None:
    """Raise Refused for a barred port, IP address or private name, and for the portal's own hosts.

    If networks are allowed, a private name may lead there, so it passes: its addresses decide.
    """
    if parts.port < 1024 and parts.port not in (80, 443):
        raise _refused(f"Port {parts.port} is not allowed: use 80, 443, or 1024 and above.")
    if parts.host in own_hosts or f"{parts.host}:{parts.port}" in own_hosts:
        raise _refused(f"{parts.host} is this portal itself: use the address of your receiver.")
    address = parts.address or ("127.0.0.1" if is_localhost(parts.host) else None)
    reason = find_address_fault(address, allowed_networks) if address else None
    if reason:
        raise _refused(
            f"{parts.host} is {reason}: use a public host, or ask your operator to allow the "
            "network."
        )
    if address is None and not allowed_networks and is_private_name(parts.host):
        raise _refused(
            f"{parts.host} is a name of private networks: use a public host, or ask your operator "
            "to allow the network."
        )


def is_private_name(host: str) -> bool:
    """Whether the name can lead inside only: one without a dot, or below a private suffix."""
    return "." not in host or host.endswith(_PRIVATE_SUFFIXES)


def is_localhost(host: str) -> bool:
    """Whether the name means this machine, whatever a name server says (RFC 6761)."""
    return host == "localhost" or host.endswith(".localhost")


def parse_url(url: str) -> EndpointURL:
    """The parts of an http(s) URL. Raises Refused if it is none, or could be read in two ways."""
    if len(url) > MAX_URL_LENGTH:
        raise _refused(f"The URL has {len(url)} characters; at most {MAX_URL_LENGTH} are allowed.")
    if _FORBIDDEN.search(url):
        raise _refused("The URL contains a space or a control character: encode it as %XX.")
    if "\\" in url:
        raise _refused("The URL contains a backslash: use / or %5C.")
    match = _URL.fullmatch(url)
    if match is None:
        raise _refused("This is not a full URL: it should look like https://example.com/path.")
    scheme = match["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise _refused(f"{scheme}:// is not supported: use https:// or http://.")
    if "@" in match["authority"]:
        raise _refused("The URL contains a user name or password: put credentials in a header.")
    if "#" in match["rest"]:
        raise _refused("The URL contains a fragment (#…), which is never sent: leave it out.")
    host, port = _split_authority(match["authority"], _DEFAULT_PORTS[scheme])
    name, address = _normalise_host(host)
    parts = EndpointURL(scheme, name, port, _normalise_path(match["rest"]), address)
    if len(str(parts)) > MAX_URL_LENGTH:
        raise _refused(f"The URL, encoded, has more than {MAX_URL_LENGTH} characters.")
    return parts


def _split_authority(authority: str, default_port: int) -> tuple[str, int]:
    bracketed = re.fullmatch(r"(\[[^\[\]]*\])(?::(.*))?", authority)
    host, port = bracketed.groups() if bracketed else _split_port(authority)
    if port is None or port == "":
        return host, default_port
    if not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65536):
        raise _refused(f"{port!r} is not a port.")
    return host, int(port)


def _split_port(authority: str) -> tuple[str, str | None]:
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _normalise_host(host: str) -> tuple[str, str | None]:
    """The host in its one spelling, and the same again as the address if it is an IP address."""
    if host.startswith("["):
        address = _parse_ipv6(host[1:-1])
        return address, address
    name = _to_ascii(host).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # WHATWG URL standard: a host whose last label is a number is an IPv4 address or invalid.
        address = _parse_ipv4(host, labels)
        return address, address
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(f"{host!r} is not a host name.")
    return name, None


def _to_ascii(host: str) -> str:
    """The name in ASCII (UTS 46, non-transitional) and in lower case."""
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise _refused(f"{host!r} is not an international domain name: {error}.") from error


def _parse_ipv4(host: str, labels: list[str]) -> str:
    """An IPv4 address in any spelling that inet_aton takes: 1 to 4 parts, decimal, octal or hex."""
    try:
        numbers = [_parse_number(label) for label in labels]
        last = numbers.pop()
        if len(numbers) > 3 or max(numbers, default=0) > 255 or last >= 256 ** (4 - len(numbers)):
            raise ValueError
    except ValueError as error:
        raise _refused(f"{host!r} is neither a host name nor an IPv4 address.") from error
    high = sum(number << (8 * (3 - place)) for place, number in enumerate(numbers))
    return str(IPv4Address(high + last))


def _parse_number(label: str) -> int:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") and len(label) > 1 else 10)


def _parse_ipv6(text: str) -> str:
    if "%" in text:
        raise _refused(f"[{text}] has a zone, so it is not a public address: use a public host.")
    try:
        return IPv6Address(text).compressed
    except AddressValueError as error:
        raise _refused(f"[{text}] is not an IPv6 address.") from error


def _normalise_path(rest: str) -> str:
    if not rest.startswith("/"):
        rest = "/" + rest
    return quote(rest, safe=_SAFE_IN_PATH)


def _refused(detail: str) -> Refused:
    return Refused(detail, code="url_not_allowed", pointer="/url")
