"""One HTTP request on one libcurl handle: its options, its callbacks, its result."""

from __future__ import annotations

import os
import re
import socket
import time
from datetime import timedelta
from typing import Any

import pycurl

from deliveries.transport.certificates import certificate_facts, expiry
from deliveries.transport.name_lookup import Resolution
from deliveries.transport.options import TransportSettings, set_common_options
from deliveries.transport.pending_request import PendingRequest, to_milliseconds
from deliveries.transport.request_headers import header_lines
from deliveries.transport.result import (
    MAX_BODY_KEPT_BYTES,
    MAX_BODY_PIECES,
    MAX_BODY_READ_BYTES,
    MAX_CONNECT_SECONDS,
    MAX_HEADER_BYTES,
    MAX_HEADER_LINES,
    Phase,
    TransportError,
    TransportResult,
)
from webhooks_portal import __version__

USER_AGENT = f"Webhooks-Portal/{__version__}"
_TIMEOUT_STEP_MS = 50
# Stricter than libcurl, which takes "HTTP/1.1 2000", "http/1.1 200" and "HTTP/3 200" for a 200.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r\n]")
_SWITCHING_PROTOCOLS = b"101"
_CLOSED_CONNECTION_CODES = frozenset(
    {
        pycurl.E_GOT_NOTHING,
        pycurl.E_SEND_ERROR,
        pycurl.E_RECV_ERROR,
        pycurl.E_SEND_FAIL_REWIND,
    }
)


class _OpenedSocket:
    """A socket for libcurl. pycurl connects a duplicate of it, so this one is closed here."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


def _open_socket(address: Any) -> _OpenedSocket:
    """Open a socket for `address`: libcurl's (family, kind, protocol, socket address)."""
    return _OpenedSocket(socket.socket(*address[:3]).detach())


class Transfer:
    """A handle that sends one request after another; only the options that differ are set again.

    pending, resolution: those of the current request, once it has started.
    met_unasked_input: the receiver had spoken on the kept connection before it was asked, so
    nothing was sent.
    """

    pending: PendingRequest
    resolution: Resolution | None

    def __init__(self, settings: TransportSettings) -> None:
        self.curl = pycurl.Curl()
        self._settings = settings
        self._has_resolve = self._has_fresh_connect = False
        self._timeout_ms = 0
        set_common_options(self.curl, settings)
        self._set_callbacks()
        self.release()

    def start(
        self, pending: PendingRequest, resolution: Resolution | None, resolve_line: bytes | None
    ) -> None:
        """Prepare the handle. resolution: the addresses of the name; resolve_line: the same for
        CURLOPT_RESOLVE, if libcurl does not have them yet. Raises UnsendableHeader."""
        request = pending.request
        lines = header_lines(request.headers, USER_AGENT)
        self.pending = pending
        self.resolution = resolution
        self._body_left = request.body
        self._started_at = now = time.monotonic()
        set_option = self.curl.setopt
        set_option(pycurl.URL, pending.target.text)
        set_option(pycurl.HTTPHEADER, lines)
        set_option(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        seconds_left = request.timeout_seconds - (now - pending.added_at)
        timeout_ms = max(1, _round_up_to_step(seconds_left))
        if timeout_ms != self._timeout_ms:
            set_option(pycurl.TIMEOUT_MS, timeout_ms)
            set_option(pycurl.CONNECTTIMEOUT_MS, min(timeout_ms, int(MAX_CONNECT_SECONDS * 1000)))
            self._timeout_ms = timeout_ms
        if resolve_line is not None or self._has_resolve:
            set_option(pycurl.RESOLVE, [resolve_line] if resolve_line is not None else [])
            self._has_resolve = resolve_line is not None
        if pending.needs_new_connection != self._has_fresh_connect:
            set_option(pycurl.FRESH_CONNECT, pending.needs_new_connection)
            self._has_fresh_connect = pending.needs_new_connection

    def met_closed_connection(self, code: int) -> bool:
        """Whether a kept connection was closed without one byte of a response: most likely the
        receiver had closed it before the request came. code: libcurl's."""
        return (
            code in _CLOSED_CONNECTION_CODES
            and not self._tried
            and self._header_bytes == 0
            and bool(self.curl.getinfo(pycurl.PRIMARY_IP))
        )

    def result(self, code: int, message: str) -> TransportResult:
        """The outcome of the current request; code and message are libcurl's, 0 for no error."""
        info = self.curl.getinfo
        pending = self.pending
        queued_us = round((self._started_at - pending.added_at) * 1e6)
        duration_us = queued_us + info(pycurl.TOTAL_TIME_T)
        is_new_connection = bool(self._tried)
        connected_us = info(pycurl.CONNECT_TIME_T) if is_new_connection else 0
        encrypted_us = info(pycurl.APPCONNECT_TIME_T) if is_new_connection else 0
        has_head = self._header_bytes and self._cut != "status"
        status = info(pycurl.RESPONSE_CODE) if has_head else 0
        chain = self._certificate_chain(is_new_connection)
        error = None if code == 0 or self._cut == "body" else self._error(code, message, chain)
        has_status = 200 <= status <= 999
        # Arguments by position, because keywords take longer.
        return TransportResult(
            pending.request.key,
            pending.sent_at,
            pending.sent_at + timedelta(0, 0, duration_us) if has_status else None,
            duration_us / 1000,
            to_milliseconds(pending.dns_seconds),
            connected_us / 1000 if connected_us else None,
            (encrypted_us - connected_us) / 1000 if encrypted_us else None,
            self._first_byte_ms(),
            self._remote_address(),
            status if has_status else None,
            self._headers() if has_status else (),
            b"".join(self._body)[:MAX_BODY_KEPT_BYTES],
            self._body_bytes > MAX_BODY_KEPT_BYTES or self._cut == "body",
            error,
            expiry(chain) if chain else None,
            pending.sent_again,
        )

    def close(self) -> None:
        self.curl.close()

    def _set_callbacks(self) -> None:
        for option, callback in (
            # The body comes from a callback and cannot be rewound, so that libcurl does not send a
            # request again by itself: the log would not show it.
            (pycurl.READFUNCTION, self._on_read),
            (pycurl.HEADERFUNCTION, self._on_header),
            (pycurl.WRITEFUNCTION, self._on_body),
            (pycurl.OPENSOCKETFUNCTION, self._on_open_socket),
            (pycurl.SOCKOPTFUNCTION, self._on_new_socket),
            (pycurl.PREREQFUNCTION, self._on_connection),
        ):
            self.curl.setopt(option, callback)

    def release(self) -> None:
        """Forget the last request and its response, so that the handle can be used again."""
        self._started_at = 0.0
        self._body_left = b""
        self._lines: list[bytes] = []
        self._awaits_status = True
        self._header_bytes = self._header_lines = 0
        self._body_bytes = self._body_pieces = 0
        self._body: list[bytes] = []
        self._cut = ""
        self._tried: list[str] = []
        self._sockets: list[int] = []
        self.met_unasked_input = False
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

    def _on_open_socket(self, _purpose: int, address: Any) -> _OpenedSocket | int:
        family, _, _, (host, *_) = address
        # With a proxy, the only address is that of the operator's own proxy.
        reason = None if self._settings.proxy else self._settings.judge(host)
        if reason or self._blocked:
            self._blocked = self._blocked or (host, reason or "")
            return pycurl.SOCKET_BAD
        try:
            opened = _open_socket(address)
        except OSError as error:
            if family != socket.AF_INET6:
                self._own_fault = f"no socket: {error.strerror}"
            return pycurl.SOCKET_BAD
        self._tried.append(host)
        return opened

    def _remote_address(self) -> str:
        # With a proxy it would be the proxy's, which customers have no business to know.
        if self._settings.proxy:
            return ""
        return self.curl.getinfo(pycurl.PRIMARY_IP) or (self._tried[-1] if self._tried else "")

    def _on_new_socket(self, fd: int, _purpose: int) -> int:
        self._sockets.append(fd)
        self._settings.sockets.add(fd)
        return pycurl.SOCKOPT_OK

    def _on_connection(self, *ends: Any) -> int:
        """Called on a connection, new or kept, before anything of the request is written."""
        connections = self._settings.connections
        if self._tried:
            connections.add(ends, reversed(self._sockets))
        elif not connections.is_quiet(ends):
            self.met_unasked_input = True
            return pycurl.PREREQFUNC_ABORT
        return pycurl.PREREQFUNC_OK

    def _certificate_chain(self, is_new_connection: bool) -> Any:
        if not is_new_connection or self.pending.target.scheme != "https":
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
            if self.pending.target.scheme == "https" and not info(pycurl.APPCONNECT_TIME_T):
                return "tls"
        if info(pycurl.SIZE_UPLOAD_T) < len(self.pending.request.body):
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
        # About a response that we cut, libcurl only says that our callback failed.
        message = "" if self._cut else message
        evidence = {name: value for name, value in evidence.items() if value}
        return TransportError(code, message, self._phase(), reason, address, evidence)

    def _head_is_cut(self) -> bool:
        """Whether a status came, but not the empty line that ends the headers."""
        return bool(self._lines) and all(line.strip() for line in self._lines)

    def _headers(self) -> tuple[tuple[str, str], ...]:
        headers = []
        for line in self._lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                break  # the end of the head; what follows are trailers
            headers.append((name, value.strip(" \t\r\n")))
        return tuple(headers)


def _round_up_to_step(seconds: float) -> int:
    """Milliseconds, in whole steps: so most requests of a handle have the same timeout."""
    return -int(-seconds * 1000 // _TIMEOUT_STEP_MS) * _TIMEOUT_STEP_MS
