"""Real receivers on loopback, each broken in one way.

    python -m tests.broken_receivers

runs them until Ctrl-C and prints their URLs: added as webhooks of a portal on the same machine and
tested there, each shows its explanation. Those that need host names or limits of a test's own are
left out. tests/deliveries/diagnosis/test_broken_receivers.py checks each one's explanation.
"""

from __future__ import annotations

import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from deliveries.diagnosis import Failure
from tests import certificates
from tests.receiver import Receiver, Reply, closed_port, full_backlog

ONLY_200 = frozenset({200})
HTML = (("Content-Type", "text/html; charset=utf-8"),)


@dataclass(frozen=True)
class Kind:
    """A receiver, the failure class of an attempt to reach it, and words from the explanation.

    Without a reply it answers 200, or is broken before that. `url`: to be used in place of its own
    address; `request`: arguments of the attempt; `backlog_full`: nobody accepts its connections.
    """

    name: str
    failure: Failure | None
    words: tuple[str, ...]
    reply: Reply | None = None
    receiver: dict[str, Any] = field(default_factory=dict)
    url: Callable[[Receiver], str] | None = None
    request: dict[str, Any] = field(default_factory=dict)
    success_codes: frozenset[int] | None = None
    who: str = "receiver's operator"
    backlog_full: bool = False


def answering(name: str, failure: Failure | None, status: int, *words: str, **changes: Any) -> Kind:
    """Make a kind whose receiver answers with a status; `changes` may set body and headers."""
    headers, body = changes.pop("headers", ()), changes.pop("body", b"")
    return Kind(name, failure, words, Reply(status, "Status", headers, body), **changes)


def with_certificate(name: str, failure: Failure, certificate: Any, *words: str) -> Kind:
    return Kind(name, failure, words, receiver={"certificate": certificate})


def location(value: str) -> tuple[tuple[str, str], ...]:
    return (("Location", value),)


def https(receiver: Receiver) -> str:
    return receiver.url("/hook").replace("http:", "https:")


KINDS = (
    Kind(
        "no such name",
        Failure.DNS_FAILED,
        ("does not exist", "spelling"),
        url=lambda receiver: "http://missing.example/",
        who="you",
    ),
    Kind(
        "DNS does not answer",
        Failure.DNS_FAILED,
        ("DNS did not answer", "broken.example"),
        url=lambda receiver: "http://broken.example/",
    ),
    Kind(
        "DNS hangs",
        Failure.DNS_FAILED,
        ("DNS did not answer",),
        url=lambda receiver: "http://slow.example/",
        request={"timeout_seconds": 0.3},
    ),
    Kind(
        "private address behind a name",
        Failure.ADDRESS_BLOCKED,
        ("may not be called", "tunnel"),
        url=lambda receiver: "http://inside.example/",
        who="you",
    ),
    Kind(
        "private address in the URL",
        Failure.ADDRESS_BLOCKED,
        ("a private address",),
        url=lambda receiver: "http://10.0.0.5/",
        who="you",
    ),
    Kind(
        "the portal's own host",
        Failure.ADDRESS_BLOCKED,
        ("this portal itself",),
        url=lambda receiver: "http://portal.example/",
        who="you",
    ),
    Kind(
        "nothing listens",
        Failure.CONNECTION_REFUSED,
        ("refused the connection", "port"),
        url=lambda receiver: f"http://127.0.0.1:{closed_port()}/",
    ),
    Kind(
        "nobody takes the connection",
        Failure.CONNECT_TIMEOUT,
        ("No connection to 127.0.0.1 within 0.3 seconds", "firewall", "Tried"),
        request={"timeout_seconds": 0.3},
        backlog_full=True,
    ),
    Kind(
        "TLS stalls",
        Failure.CONNECT_TIMEOUT,
        ("TLS handshake", "0.3 seconds"),
        receiver={"certificate": certificates.good(), "silent": True},
        request={"timeout_seconds": 0.3},
    ),
    with_certificate(
        "expired", Failure.TLS_EXPIRED, certificates.expired(), "expired on 4 March 2024", "Renew"
    ),
    with_certificate(
        "not yet valid", Failure.TLS_EXPIRED, certificates.not_yet_valid(), "not valid yet"
    ),
    with_certificate(
        "wrong name",
        Failure.TLS_HOSTNAME,
        certificates.wrong_name(),
        "not for 127.0.0.1",
        "shop.example, *.shop.example",
    ),
    with_certificate(
        "self-signed", Failure.TLS_UNTRUSTED, certificates.self_signed(), "self-signed"
    ),
    with_certificate(
        "private authority",
        Failure.TLS_UNTRUSTED,
        certificates.private_authority(),
        "unknown authority",
        "Corporate root",
    ),
    with_certificate(
        "chain incomplete",
        Failure.TLS_UNTRUSTED,
        certificates.incomplete_chain(),
        "chain of 127.0.0.1 is incomplete",
        "fullchain.pem",
    ),
    Kind(
        "old TLS",
        Failure.TLS_FAILED,
        ("outdated version of TLS",),
        receiver={"certificate": certificates.good(), "maximum_tls": ssl.TLSVersion.TLSv1_1},
    ),
    Kind(
        "no TLS on the port",
        Failure.TLS_FAILED,
        ("does not speak TLS",),
        receiver={"greeting": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
        url=https,
        who="you",
    ),
    Kind("hung up in TLS", Failure.TLS_FAILED, ("broken off",), receiver={"slam": True}, url=https),
    Kind(
        "silence",
        Failure.TIMEOUT,
        ("did not answer within 0.3 seconds", "queue"),
        Reply(delay_seconds=60),
        request={"timeout_seconds": 0.3},
    ),
    Kind(
        "stops reading",
        Failure.TIMEOUT,
        ("did not take the request", "0.3 seconds"),
        receiver={"silent": True},
        request={"timeout_seconds": 0.3, "body": b"[" * 20_000_000},
    ),
    Kind(
        "half its headers, then silence",
        Failure.TIMEOUT,
        ("did not finish", "HTTP 200 came, but only a part"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Ty", then="hold"),
        request={"timeout_seconds": 0.3},
    ),
    Kind(
        "half a body, then silence",
        Failure.TIMEOUT,
        ("did not finish", "4 of 100 bytes"),
        Reply(headers=(("Content-Length", "100"),), body=b"half", then="hold"),
        request={"timeout_seconds": 0.3},
    ),
    Kind("reset", Failure.CONNECTION_RESET, ("without an answer",), Reply(raw=b"", then="reset")),
    Kind(
        "empty answer",
        Failure.CONNECTION_RESET,
        ("without an answer",),
        Reply(raw=b"", then="close"),
    ),
    Kind(
        "reset within the answer",
        Failure.CONNECTION_RESET,
        ("broke off its answer",),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", then="reset"),
    ),
    Kind(
        "no HTTP",
        Failure.BAD_RESPONSE,
        ("does not begin like an HTTP response",),
        Reply(raw=b"220 mail.example ESMTP\r\n\r\n", then="close"),
    ),
    Kind(
        "WebSocket",
        Failure.BAD_RESPONSE,
        ("101 Switching",),
        Reply(raw=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", then="hold"),
    ),
    Kind(
        "too short",
        Failure.BAD_RESPONSE,
        ("ended before the length",),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", then="close"),
    ),
    Kind(
        "headers without end",
        Failure.BAD_RESPONSE,
        ("64 KiB",),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 120_000, then="hold"),
    ),
    answering(
        "slash", Failure.REDIRECTED, 301, "Add the slash", headers=location("/hook/"), who="you"
    ),
    answering(
        "https",
        Failure.REDIRECTED,
        308,
        "wants https",
        headers=location("https://127.0.0.1/hook"),
        who="you",
    ),
    answering(
        "elsewhere",
        Failure.REDIRECTED,
        302,
        "another host",
        "https://new.example/x",
        headers=location("https://new.example/x"),
        who="you",
    ),
    answering(
        "to a login",
        Failure.REDIRECTED,
        302,
        "login page",
        headers=location("/users/sign_in?next=/hook"),
    ),
    answering("redirect to nowhere", Failure.REDIRECTED, 302, "without saying where"),
    answering(
        "401 with a challenge",
        Failure.HTTP_4XX,
        401,
        "asks for a login",
        headers=(("WWW-Authenticate", "Basic"),),
    ),
    answering("401", Failure.HTTP_4XX, 401, "signature", "debugger"),
    answering("403", Failure.HTTP_4XX, 403, "403 Forbidden", "allow-lists"),
    answering(
        "403 by Cloudflare",
        Failure.HTTP_4XX,
        403,
        "firewall",
        "Cloudflare",
        headers=(*HTML, ("Server", "cloudflare"), ("cf-mitigated", "challenge")),
        body=b"<html><title>Just a moment...</title>",
    ),
    answering(
        "403 by Django's CSRF guard",
        Failure.HTTP_4XX,
        403,
        "CSRF",
        "@csrf_exempt",
        headers=HTML,
        body=b"<h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>",
    ),
    answering(
        "419 by Laravel",
        Failure.HTTP_4XX,
        419,
        "VerifyCsrfToken",
        headers=HTML,
        body=b"<title>Page Expired</title>",
    ),
    answering("404", Failure.HTTP_4XX, 404, "nothing at /hook", who="you"),
    answering(
        "tunnel is down",
        Failure.HTTP_4XX,
        404,
        "tunnel",
        "ngrok",
        headers=(("ngrok-error-code", "ERR_NGROK_3200"),),
        who="you",
    ),
    answering(
        "405", Failure.HTTP_4XX, 405, "does not take POST", headers=(("Allow", "GET, HEAD"),)
    ),
    answering("410", Failure.GONE, 410, "suspends", who="you"),
    answering("413", Failure.HTTP_4XX, 413, "client_max_body_size"),
    answering("415", Failure.HTTP_4XX, 415, "Content-Type", "application/json"),
    answering(
        "418", Failure.HTTP_4XX, 418, "refused the request", body=b'{"error":"I am a teapot"}'
    ),
    answering("422", Failure.HTTP_4XX, 422, "refused its content"),
    answering(
        "429 with Retry-After",
        Failure.RATE_LIMITED,
        429,
        "Retry-After",
        headers=(("Retry-After", "120"),),
        who="you",
    ),
    answering("429", Failure.RATE_LIMITED, 429, "did not say how long", who="you"),
    answering("500", Failure.HTTP_5XX, 500, "code failed"),
    answering("502", Failure.HTTP_5XX, 502, "down or crashed"),
    answering("503", Failure.HTTP_5XX, 503, "maintenance", headers=(("Retry-After", "30"),)),
    answering("504", Failure.HTTP_5XX, 504, "waited too long"),
    answering("521", Failure.HTTP_5XX, 521, "Cloudflare"),
    answering("599", Failure.HTTP_5XX, 599, "failed while handling"),
    answering(
        "204 if only 200 counts",
        Failure.UNEXPECTED_STATUS,
        204,
        "does not count as success",
        "exactly 200",
        success_codes=ONLY_200,
    ),
    answering("999", Failure.UNEXPECTED_STATUS, 999, "strange status"),
    answering("200", None, 200, "Delivered", "any 2xx", who="nobody"),
    answering(
        "200 if only 200 counts", None, 200, "exactly 200", success_codes=ONLY_200, who="nobody"
    ),
    answering(
        "200 with a login page",
        None,
        200,
        "login page",
        headers=HTML,
        body=b"<html><title>Sign in</title><input type='password'>",
        who="you",
    ),
    answering(
        "200 with a tunnel's warning",
        None,
        200,
        "warning page of ngrok",
        headers=HTML,
        body=b"<html>You are about to visit: a.ngrok-free.app, served by",
        who="you",
    ),
    answering(
        "200 with a default page",
        None,
        200,
        "default page",
        headers=HTML,
        body=b"<html><title>Welcome to nginx!</title>",
        who="you",
    ),
    answering(
        "200 with a web page", None, 200, "web page", body=b"<!DOCTYPE html><p>Shop", who="you"
    ),
    answering(
        "200 that says error", None, 200, "speaks of an error", body=b'{"success":false}', who="you"
    ),
)

# How the kinds' host names resolve: to addresses, to an error, or not for so many seconds.
NAMES: dict[str, Any] = {
    "broken.example": socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
    "inside.example": ["10.0.0.5"],
    "slow.example": 0.6,
}
OWN_HOST = "portal.example"


@contextmanager
def running(kind: Kind) -> Iterator[str]:
    """Yield the URL to send to; the receiver runs while the block does."""
    with ExitStack() as stack:
        if kind.backlog_full:
            yield f"http://127.0.0.1:{stack.enter_context(full_backlog())}/hook"
            return
        receiver = stack.enter_context(Receiver(**kind.receiver))
        if kind.reply is not None:
            receiver.on("/hook", kind.reply)
        yield kind.url(receiver) if kind.url else receiver.url("/hook")


def main() -> None:
    with ExitStack() as stack:
        authority = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".pem"))
        authority.write(certificates.authority().pem)
        authority.flush()
        write = sys.stdout.write
        write(
            "The portal must be allowed to send to this machine, and trust the receivers' "
            f"authority:\nWEBHOOKS_EXTRA_CA_FILE={authority.name} make run\n\n"
        )
        for kind in KINDS:
            if kind.success_codes or "body" in kind.request:
                continue
            url = stack.enter_context(running(kind))
            if not any(name in url for name in (*NAMES, OWN_HOST)):
                write(f"{kind.failure or 'accepted':<20} {kind.name:<36} {url}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
