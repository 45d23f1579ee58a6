"""The options of a libcurl handle that are the same for all requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pycurl

from deliveries.transport.connections import Connections
from deliveries.transport.result import MAX_BODY_KEPT_BYTES
from deliveries.transport.sockets import Sockets

# Shorter than the 5 s after which Node, Apache and uvicorn close an idle connection, so that a
# request seldom meets a connection that is just being closed.
MAX_IDLE_CONNECTION_SECONDS = 4
MAX_CONNECTION_SECONDS = 600
_UPLOAD_BUFFER_BYTES = 16 * 1024
# In <curl/curl.h>, but without a name in pycurl.
_SUPPRESS_CONNECT_HEADERS = 265
_UPLOAD_BUFFERSIZE = 280


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """What all transfers share. judge: why an address may not be called, None if it may;
    ca_bundle: path of a PEM file."""

    judge: Callable[[str], str | None]
    ca_bundle: str
    proxy: str | None
    connections: Connections
    sockets: Sockets


def set_common_options(curl: pycurl.Curl, settings: TransportSettings) -> None:
    """Set what holds for every request: protocols, proxy, TLS, connections and buffers."""
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.NETRC, pycurl.NETRC_IGNORED),
        # "" instead of unset: libcurl would look for a proxy in the environment.
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
        (_UPLOAD_BUFFERSIZE, _UPLOAD_BUFFER_BYTES),
        (pycurl.POST, 1),
    ):
        curl.setopt(option, value)
