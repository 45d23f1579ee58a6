"""One HTTP request on one libcurl handle: its options, its callbacks, its result."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pycurl

from deliveries.transport.certificates import certificate_facts, expiry
from deliveries.transport.connections import Connections
from deliveries.transport.name_lookup import Answer
from deliveries.transport.request_headers import header_lines
from deliveries.transport.result import (
    MAX_BODY_KEPT_BYTES,
    MAX_BODY_PIECES,
    MAX_BODY_READ_BYTES,
    MAX_CONNECT_SECONDS,
    MAX_HEADER_BYTES,
    MAX_HEADER_LINES,
    OutboundRequest,
    Phase,
    TransportError,
    TransportResult,
)
from deliveries.transport.sockets import Sockets
from subscriptions.endpoints.url_rules import EndpointURL
from webhooks_portal import __version__

# Shorter than the 5 s after which Node, Apache and uvicorn close an idle connection, so that a
# request seldom meets a connection that is just being closed.
MAX_IDLE_CONNECTION_SECONDS = 4
MAX_CONNECTION_SECONDS = 600
_TIMEOUT_STEP_MS = 50
USER_AGENT = f"Webhooks-Portal/{__version__}"
# In <curl/curl.h>, but without a name in pycurl.
_SUPPRESS_CONNECT_HEADERS = 265
_UPLOAD_BUFFERSIZE = 280
# libcurl also takes "HTTP/1.1 2000", "http/1.1 200" and "HTTP/3 200", each for a 200.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r\n]")
_SWITCHING_PROTOCOLS = b"101"
_HUNG_UP = frozenset(
    {
        pycurl.E_GOT_NOTHING,
        pycurl.E_SEND_ERROR,
        pycurl.E_RECV_ERROR,
        pycurl.E_SEND_FAIL_REWIND,
    }
)


class _Descriptor:
    """A socket to hand over. pycurl connects a duplicate of it, so that this one is closed here."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


def _open_socket(address: Any) -> _Descriptor:
    """For a connection to `address`: libcurl's (family, kind, protocol, socket address)."""
    return _Descriptor(socket.socket(*address[:3]).detach())


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What all transfers share. judge: the address rules, with the operator's networks."""

    judge: Callable[[str], str | None]
    ca_bundle: str
    proxy: str | None
    connections: Connections
    sockets: Sockets


class Waiting:
    """A request from `add` to its result; times are monotonic seconds."""

    __slots__ = ("added", "dns_seconds", "fresh", "request", "sent_again", "sent_at", "target")

    def __init__(self, request: OutboundRequest, target: EndpointURL) -> None:
        self.request = request
        self.target = target
        self.added = time.monotonic()
        self.sent_at = datetime.now(UTC)
        self.dns_seconds: float | None = None
        self.fresh = False
        self.sent_again = False


class Transfer:
    """A handle that is used for one request after another; only what differs is set anew."""

    waiting: Waiting
    answer: Answer | None

    def __init__(self, settings: DoorSettings) -> None:
        self.curl = pycurl.Curl()
        self._settings = settings
        self._resolve_was_set = self._fresh_was_set = False
        self._milliseconds_set = 0
        self._set_constants()
        self.release()

    def begin(self, waiting: Waiting, answer: Answer | None, resolve: bytes | None) -> None:
        """Prepare the handle. answer: the addresses of the name; resolve: they as a line for
        CURLOPT_RESOLVE, where libcurl does not have them yet. Raises UnsendableHeader."""
        request = waiting.request
        lines = header_lines(request.headers, USER_AGENT)
        self.waiting = waiting
        self.answer = answer
        self._body_left = request.body
        self._begun = now = time.monotonic()
        set_option = self.curl.setopt
        set_option(pycurl.URL, waiting.target.text)
        set_option(pycurl.HTTPHEADER, lines)
        set_option(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        left = request.timeout_seconds - (now - waiting.added)
        milliseconds = max(1, _stepped_up(left))
        if milliseconds != self._milliseconds_set:
            connecting = min(milliseconds, int(MAX_CONNECT_SECONDS * 1000))
            set_option(pycurl.TIMEOUT_MS, milliseconds)
            set_option(pycurl.CONNECTTIMEOUT_MS, connecting)
            self._milliseconds_set = milliseconds
        if resolve is not None or self._resolve_was_set:
            set_option(pycurl.RESOLVE, [resolve] if resolve is not None else [])
            self._resolve_was_set = resolve is not None
        if waiting.fresh != self._fresh_was_set:
            set_option(pycurl.FRESH_CONNECT, waiting.fresh)
            self._fresh_was_set = waiting.fresh

    def met_closed_connection(self, code: int) -> bool:
        """Whether the request failed on a kept connection that was closed without a byte in
        answer: most likely the receiver had closed it before the request came."""
        return (
            code in _HUNG_UP
            and not self._tried
            and self._header_bytes == 0
            and bool(self.curl.getinfo(pycurl.PRIMARY_IP))
        )

    def result(self, code: int, message: str) -> TransportResult:
        """What came of it; code and message are libcurl's, 0 for none."""
        info = self.curl.getinfo
        waiting = self.waiting
        microseconds = round((self._begun - waiting.added) * 1e6) + info(pycurl.TOTAL_TIME_T)
        opened = bool(self._tried)
        connected = info(pycurl.CONNECT_TIME_T) if opened else 0
        encrypted = info(pycurl.APPCONNECT_TIME_T) if opened else 0
        has_head = self._header_bytes and self._cut != "status"
        status = info(pycurl.RESPONSE_CODE) if has_head else 0
        chain = self._chain(opened)
        error = None if code == 0 or self._cut == "body" else self._error(code, message, chain)
        has_status = 200 <= status <= 999
        # By place: by name, it takes longer.
        return TransportResult(
            waiting.request.key,
            waiting.sent_at,
            waiting.sent_at + timedelta(0, 0, microseconds) if has_status else None,
            microseconds / 1000,
            _ms(waiting.dns_seconds),
            connected / 1000 if connected else None,
            (encrypted - connected) / 1000 if encrypted else None,
            self._first_byte_ms(),
            self._remote_address(),
            status if has_status else None,
            self._headers() if has_status else (),
            b"".join(self._body)[:MAX_BODY_KEPT_BYTES],
            self._body_bytes > MAX_BODY_KEPT_BYTES or self._cut == "body",
            error,
            expiry(chain) if chain else None,
            waiting.sent_again,
        )

    def close(self) -> None:
        self.curl.close()

    def _set_constants(self) -> None:
        settings = self._settings
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            # "" and not unset: libcurl would look for a proxy in the environment.
            (pycurl.PROXY, settings.proxy or ""),
            (pycurl.NOPROXY, ""),
            (_SUPPRESS_CONNECT_HEADERS, 1),
            (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.CAINFO, settings.ca_bundle),
            (pycurl.OPT_CERTINFO, 1),
            (pycurl.MAXAGE_CONN, MAX_IDLE_CONNECTION_SECONDS),
            (pycurl.MAXLIFETIME_CONN, MAX_CONNECTION_SECONDS),
            (pycurl.BUFFERSIZE, MAX_BODY_KEPT_BYTES),
            (_UPLOAD_BUFFERSIZE, 16 * 1024),
            (pycurl.POST, 1),
            # The body is read and cannot be rewound: so libcurl does not send a request again
            # by itself, which the log would not show.
            (pycurl.READFUNCTION, self._on_read),
            (pycurl.HEADERFUNCTION, self._on_header),
            (pycurl.WRITEFUNCTION, self._on_body),
            (pycurl.OPENSOCKETFUNCTION, self._on_open_socket),
            (pycurl.SOCKOPTFUNCTION, self._on_socket_made),
            (pycurl.PREREQFUNCTION, self._on_connection),
        ):
            self.curl.setopt(option, value)

    def release(self) -> None:
        """Let go of what the last request brought, before the handle is used again."""
        self._begun = 0.0
        self._body_left = b""
        self._lines: list[bytes] = []
        self._awaits_status = True
        self._header_bytes = self._header_lines = 0
        self._body_bytes = self._body_pieces = 0
        self._body: list[bytes] = []
        self._cut = ""
        self._tried: list[str] = []
        self._sockets: list[int] = []
        self.met_unasked_answer = False
        self._blocked: tuple[str, str] | None = None
        self._own_fault = ""

    def _on_read(self, size: int) -> bytes:
        chunk, self._body_left = self._body_left[:size], self._body_left[size:]
        return chunk

    def _on_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        self._header_lines += 1
        if self._header_bytes > MAX_HEADER_BYTES or self._header_lines > MAX_HEADER_LINES:
            self._cut = "headers"
            return -1
        if not self._awaits_status:
            self._lines.append(line)
            # Interim responses (1xx) come before the final one; only the last counts.
            self._awaits_status = self._lines[0][9:10] == b"1" and not line.strip()
            return None
        self._awaits_status = False
        self._lines = [line]
        if not _STATUS_LINE.match(line):
            self._cut = "status"
        elif line[9:12] == _SWITCHING_PROTOCOLS:
            self._cut = "upgrade"
        return -1 if self._cut else None

    def _on_body(self, data: bytes) -> int | None:
        if self._body_bytes < MAX_BODY_KEPT_BYTES:
            self._body.append(data)
        self._body_bytes += len(data)
        self._body_pieces += 1
        if self._body_bytes > MAX_BODY_READ_BYTES or self._body_pieces >= MAX_BODY_PIECES:
            self._cut = "body"
            return -1
        return None

    def _on_open_socket(self, _purpose: int, address: Any) -> _Descriptor | int:
        family, _, _, place = address
        # Through a proxy, the only address there is, is the operator's own.
        reason = None if self._settings.proxy else self._settings.judge(place[0])
        if reason or self._blocked:
            self._blocked = self._blocked or (place[0], reason or "")
            return pycurl.SOCKET_BAD
        try:
            opened = _open_socket(address)
        except OSError as error:
            if family != socket.AF_INET6:
                self._own_fault = f"no socket: {error.strerror}"
            return pycurl.SOCKET_BAD
        self._tried.append(place[0])
        return opened

    def _remote_address(self) -> str:
        # Through a proxy it would be the operator's own, which is nobody else's business.
        if self._settings.proxy:
            return ""
        return self.curl.getinfo(pycurl.PRIMARY_IP) or (self._tried[-1] if self._tried else "")

    def _on_socket_made(self, fd: int, _purpose: int) -> int:
        self._sockets.append(fd)
        self._settings.sockets.made(fd)
        return pycurl.SOCKOPT_OK

    def _on_connection(self, *ends: Any) -> int:
        """A connection is there, new or kept; nothing of the request is written yet."""
        connections = self._settings.connections
        if self._tried:
            connections.opened(ends, reversed(self._sockets))
        elif not connections.is_quiet(ends):
            self.met_unasked_answer = True
            return pycurl.PREREQFUNC_ABORT
        return pycurl.PREREQFUNC_OK

    def _chain(self, opened: bool) -> Any:
        if not opened or self.waiting.target.scheme != "https":
            return []
        return self.curl.getinfo_raw(pycurl.INFO_CERTINFO)

    def _first_byte_ms(self) -> float | None:
        if not self._header_bytes:
            return None
        info = self.curl.getinfo
        microseconds: int = info(pycurl.STARTTRANSFER_TIME_T) - info(pycurl.PRETRANSFER_TIME_T)
        return max(0.0, microseconds / 1000)

    def _phase(self) -> Phase:
        info = self.curl.getinfo
        if self._tried or self._blocked or not info(pycurl.PRIMARY_IP):
            if not info(pycurl.CONNECT_TIME_T):
                return "connect"
            if self.waiting.target.scheme == "https" and not info(pycurl.APPCONNECT_TIME_T):
                return "tls"
        if info(pycurl.SIZE_UPLOAD_T) < len(self.waiting.request.body):
            return "send"
        return "read" if self._header_bytes else "wait"

    def _error(self, code: int, message: str, chain: Any) -> TransportError:
        info = self.curl.getinfo
        address, reason = self._blocked or (None, None)
        evidence = {
            "errno": info(pycurl.OS_ERRNO),
            "bytes_received": self._body_bytes,
            "body_bytes_expected": max(0, int(info(pycurl.CONTENT_LENGTH_DOWNLOAD_T))),
            "tried": [] if self._settings.proxy else list(self._tried),
            "kept_connection": not self._tried and bool(info(pycurl.PRIMARY_IP)),
            "head_is_cut": self._head_is_cut(),
            "cut": self._cut,
            "own_fault": self._own_fault,
            "through_proxy": bool(self._settings.proxy),
        }
        if code == pycurl.E_PEER_FAILED_VERIFICATION:
            evidence["verify_result"] = info(pycurl.SSL_VERIFYRESULT)
        if chain:
            evidence["certificate"] = certificate_facts(chain)
        # What libcurl says of a cut is that our own callback failed.
        message = "" if self._cut else message
        told = {name: value for name, value in evidence.items() if value}
        return TransportError(code, message, self._phase(), reason, address, told)

    def _head_is_cut(self) -> bool:
        """A status came, and the empty line that ends the headers did not."""
        return bool(self._lines) and all(line.strip() for line in self._lines)

    def _headers(self) -> tuple[tuple[str, str], ...]:
        headers = []
        for line in self._lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                break  # the end of the head; what follows are trailers
            headers.append((name, value.strip(" \t\r\n")))
        return tuple(headers)


def _stepped_up(seconds: float) -> int:
    """Milliseconds, up to a whole step: so that most requests of a handle have the same timeout."""
    return -int(-seconds * 1000 // _TIMEOUT_STEP_MS) * _TIMEOUT_STEP_MS


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
