"""Receivers that answer with what no receiver should: what each is taken for, that it ends in time,
and that the next request is none the worse for it."""

import gzip
import time
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from deliveries.transport import Transport, TransportResult
from deliveries.transport.result import MAX_BODY_KEPT_BYTES, MAX_BODY_PIECES
from tests import certificates
from tests.attacks.verdicts import explain_to_tenant, verdict_of
from tests.deliveries.transports import Names, error_of, open_transport, request, send
from tests.receiver import Receiver, Reply, full_backlog

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
ZEROS = bytes(50_000_000)
GZIP_BOMB = gzip.compress(ZEROS, 9)


@dataclass(frozen=True)
class Answer:
    """What comes over the wire, what it is taken for (None: delivered), and words of why.

    then: what the receiver does after it, as in Reply; `status` and `body` are what is logged.
    """

    name: str
    raw: bytes
    failure: str | None
    words: str
    status: int | None = 200
    body: bytes = b""
    then: str = "hold"


def not_http(name: str, raw: bytes, words: str = "did not answer in valid HTTP") -> Answer:
    return Answer(name, raw, "bad_response", words, None)


def framed(name: str, head: bytes, words: str = "breaks the rules of HTTP/1.1") -> Answer:
    return Answer(name, OK + head + b"\r\n\r\nok", "bad_response", words)


BROKEN = [
    not_http("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
    not_http("SMTP", b"220 mail.example ESMTP\r\n"),
    not_http("Redis", b"-ERR unknown command\r\n"),
    not_http("TLS alert", b"\x15\x03\x01\x00\x02\x02\x46"),
    not_http("HTTP/0.9", b"<html>no head, no status</html>"),
    not_http("no version", b"HTTP 200 OK\r\n" + EMPTY, "does not begin like an HTTP response"),
    not_http("another protocol", b"RTSP/1.0 200 OK\r\n" + EMPTY),
    not_http("a space first", b" HTTP/1.1 200 OK\r\n" + EMPTY),
    not_http("an empty line first", b"\r\nHTTP/1.1 200 OK\r\n" + EMPTY),
    not_http("version 0.9", b"HTTP/0.9 200 OK\r\n" + EMPTY),
    not_http("version 1.2", b"HTTP/1.2 200 OK\r\n" + EMPTY),
    not_http("version 2", b"HTTP/2 200\r\n" + EMPTY, "first line is not that of an HTTP/1.1"),
    not_http("version 3", b"HTTP/3 200\r\n" + EMPTY, "first line is not that of an HTTP/1.1"),
    not_http("version 9.9", b"HTTP/9.9 200 OK\r\n" + EMPTY),
    not_http("small letters", b"http/1.1 200 OK\r\n" + EMPTY, "first line"),
    not_http("tabs", b"HTTP/1.1\t200\tOK\r\n" + EMPTY, "first line"),
    not_http("status in letters", b"HTTP/1.1 abc OK\r\n" + EMPTY),
    not_http("status of two digits", b"HTTP/1.1 20 OK\r\n" + EMPTY),
    not_http("status of four digits", b"HTTP/1.1 2000 OK\r\n" + EMPTY, "first line"),
    not_http("status 000", b"HTTP/1.1 000 OK\r\n" + EMPTY),
    not_http("status 099", b"HTTP/1.1 099 OK\r\n" + EMPTY),
    not_http("status -200", b"HTTP/1.1 -200 OK\r\n" + EMPTY),
    not_http("NUL in the status line", b"HTTP/1.1 200 O\0K\r\n" + EMPTY),
    not_http("101", b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n\x81\x05hello", "WebSocket"),
    not_http(
        "101 after 100", b"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n", "101"
    ),
    not_http("1xx without end", b"HTTP/1.1 100 X\r\n\r\n" * 100_000, "too many"),
    not_http("large 1xx", b"HTTP/1.1 103 X\r\nLink: bbbbbbbbbbbbb\r\n\r\n" * 9_000, "too many"),
    framed("headers without end", b"X-A: b\r\n" * 20_000, "too many"),
    framed("tiny headers without end", b"a:\r\n" * 1_100, "too many"),
    framed("a header of 90 KB", b"X-A: " + b"b" * 90_000, "longer than 64 KiB"),
    framed("a header without end", b"X-A: " + b"b" * 2_000_000, "longer than 64 KiB"),
    Answer(
        "a reason of 90 KB",
        b"HTTP/1.1 200 " + b"b" * 90_000 + b"\r\n\r\n",
        "bad_response",
        "longer than 64 KiB",
    ),
    framed("NUL in a header", b"X-A: a\0b"),
    framed("CR in a header", b"X-A: a\rb"),
    framed("a header without a colon", b"no colon"),
    framed("two lengths", b"Content-Length: 2\r\nContent-Length: 3"),
    framed("a list of lengths", b"Content-Length: 2, 3"),
    framed("a negative length", b"Content-Length: -2"),
    framed("a length with a sign", b"Content-Length: +2"),
    framed("a length in hex", b"Content-Length: 0x2"),
    framed("a length in words", b"Content-Length: two"),
    framed("no length at all", b"Content-Length:"),
    Answer(
        "a length too long",
        OK + b"Content-Length: 100\r\n\r\nok",
        "bad_response",
        "ended before the length that it had announced",
        body=b"ok",
        then="close",
    ),
    Answer(
        "an enormous length",
        OK + b"Content-Length: 9223372036854775807\r\n\r\nok",
        "bad_response",
        "ended before the length that it had announced",
        body=b"ok",
        then="close",
    ),
    Answer(
        "a chunk's length in letters", CHUNKED + b"zz\r\nok", "bad_response", "breaks the rules"
    ),
    Answer("a negative chunk", CHUNKED + b"-2\r\nok", "bad_response", "breaks the rules"),
    Answer(
        "an enormous chunk", CHUNKED + b"f" * 18 + b"\r\nok", "bad_response", "breaks the rules"
    ),
    Answer(
        "chunks run together",
        CHUNKED + b"2\r\nokX0\r\n\r\n",
        "bad_response",
        "breaks the rules",
        body=b"ok",
    ),
    Answer(
        "a chunk cut off",
        CHUNKED + b"5\r\nok",
        "bad_response",
        "ended before the length",
        body=b"ok",
        then="close",
    ),
    Answer(
        "trailers without end",
        CHUNKED + b"2\r\nok\r\n0\r\n" + b"X-A: b\r\n" * 20_000,
        "bad_response",
        "too many",
        body=b"ok",
    ),
    framed("an unknown transfer coding", b"Transfer-Encoding: rot13"),
    Answer(
        "a bomb as transfer coding",
        OK + b"Transfer-Encoding: gzip\r\n\r\n" + GZIP_BOMB,
        "bad_response",
        "breaks the rules",
    ),
    Answer("nothing at all", b"", "connection_reset", "without an answer", None, then="close"),
    Answer(
        "a redirect to metadata",
        b"HTTP/1.1 307 X\r\nLocation: http://169.254.169.254/latest/\r\n" + EMPTY,
        "redirected",
        "Redirects are not followed",
        307,
        then="keep",
    ),
    Answer(
        "a redirect to a file",
        b"HTTP/1.1 302 X\r\nLocation: file:///etc/passwd\r\n" + EMPTY,
        "redirected",
        "Redirects are not followed",
        302,
        then="keep",
    ),
    Answer(
        "a redirect to nonsense",
        b"HTTP/1.1 302 X\r\nLocation: http://[\r\n" + EMPTY,
        "redirected",
        "not valid",
        302,
        then="keep",
    ),
    Answer(
        "a login to be made",
        b"HTTP/1.1 401 X\r\nWWW-Authenticate: Negotiate, Digest\r\n" + EMPTY,
        "http_4xx",
        "asks for a login",
        401,
        then="keep",
    ),
    Answer("a proxy's login", b"HTTP/1.1 407 X\r\n" + EMPTY, "http_4xx", "407", 407, then="keep"),
    Answer(
        "no such expectation", b"HTTP/1.1 417 X\r\n" + EMPTY, "http_4xx", "417", 417, then="keep"
    ),
    Answer(
        "a strange status",
        b"HTTP/1.1 999 X\r\n" + EMPTY,
        "unexpected_status",
        "strange",
        999,
        then="keep",
    ),
    Answer(
        "a Retry-After of 5,000 digits",
        b"HTTP/1.1 503 X\r\nRetry-After: " + b"9" * 5_000 + b"\r\n" + EMPTY,
        "http_5xx",
        "503",
        503,
        then="keep",
    ),
    Answer(
        "a refusal that stops halfway",
        b"HTTP/1.1 400 X\r\nContent-Length: 9\r\n\r\nno",
        "http_4xx",
        "400",
        400,
        b"no",
        then="close",
    ),
]

# Odd, yet an answer: it counts, and nothing that came after it counts for anything.
ODD = [
    Answer(
        "a length too short",
        OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500 X\r\n\r\n",
        None,
        "",
        body=b"ok",
    ),
    Answer(
        "the same length twice",
        OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        None,
        "",
        body=b"ok",
    ),
    Answer(
        "a length and chunks",
        OK + b"Content-Length: 9\r\n" + CHUNKED[len(OK) :] + b"2\r\nok\r\n0\r\n\r\n",
        None,
        "",
        body=b"ok",
    ),
    Answer(
        "a status as trailer",
        CHUNKED + b"2\r\nok\r\n0\r\nHTTP/1.1 101: X\r\n\r\n",
        None,
        "",
        body=b"ok",
    ),
    Answer(
        "a chunk's extension of 200 KB",
        CHUNKED + b"2;" + b"x" * 200_000 + b"\r\nok\r\n0\r\n\r\n",
        None,
        "",
        body=b"ok",
    ),
    Answer(
        "a hundred 1xx",
        b"HTTP/1.1 103 X\r\n\r\n" * 100 + OK + b"Content-Length: 2\r\n\r\nok",
        None,
        "",
        body=b"ok",
    ),
    Answer("204 with a body", b"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\nextra", None, "", 204),
    Answer(
        "204 with a response after it",
        b"HTTP/1.1 204 X\r\n\r\nHTTP/1.1 500 X\r\n" + EMPTY,
        None,
        "",
        204,
    ),
    Answer(
        "cookies and other memories",
        OK
        + b'Set-Cookie: a=b\r\nAlt-Svc: h2="169.254.169.254:80"\r\nStrict-Transport-Security: max-age=9999\r\n'
        + EMPTY,
        None,
        "",
    ),
    Answer("60 KB of headers", OK + b"X-A: " + b"b" * 60_000 + b"\r\n" + EMPTY, None, ""),
    Answer("controls and bidi", OK + "X-A: \x1b[31m\u202e\x07\r\n".encode() + EMPTY, None, ""),
]


@pytest.mark.parametrize("answer", BROKEN, ids=lambda answer: answer.name)
def test_a_broken_answer_is_a_failure_of_its_class_and_the_transport_goes_on(
    transport: Transport, receiver: Receiver, answer: Any
) -> None:
    url = receiver.on("/hook", Reply(raw=answer.raw, then=answer.then))
    result = send(transport, url)
    verdict, explanation = verdict_of(result), explain_to_tenant(result, url)
    assert (verdict.failure, result.status_code) == (answer.failure, answer.status)
    assert result.body == answer.body
    assert answer.words in explanation.text
    assert explanation.who != "platform operator"
    assert result.duration_ms < 2_000
    after = send(transport, receiver.url("/next"))
    assert (after.status_code, after.body) == (200, b"ok")
    assert (after.connect_ms is None) == (answer.then == "keep")


@pytest.mark.parametrize("answer", ODD, ids=lambda answer: answer.name)
def test_an_odd_answer_counts_and_nothing_after_it_does(
    transport: Transport, receiver: Receiver, answer: Any
) -> None:
    receiver.on("/hook", Reply(raw=answer.raw))
    result = send(transport, receiver.url("/hook"))
    assert verdict_of(result).failure is None
    assert (result.status_code, result.body) == (answer.status, answer.body)
    after = send(transport, receiver.url("/next"))
    assert (after.status_code, after.body) == (200, b"ok")
    assert receiver.requests[-1].header("Cookie") is None
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "//10.0.0.5/", "/inside"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_opens_no_socket_and_makes_no_request(
    transport: Transport, receiver: Receiver, connected: list[str], location: Any, status: int
) -> None:
    receiver.on("/hook", Reply(status, "Moved", (("Location", location),)))
    assert send(transport, receiver.url("/hook")).status_code == status
    assert connected == ["127.0.0.1"]
    assert [got.path for got in receiver.requests] == ["/hook"]


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        ("gzip", GZIP_BOMB),
        ("x-gzip", GZIP_BOMB),
        ("deflate", zlib.compress(ZEROS, 9)),
        ("br", GZIP_BOMB),
        ("zstd", GZIP_BOMB),
        ("gzip, gzip, deflate, br", GZIP_BOMB),
    ],
)
def test_a_compressed_body_is_kept_as_it_came_and_never_inflated(
    transport: Transport, receiver: Receiver, coding: Any, bomb: bytes
) -> None:
    receiver.on("/hook", Reply(headers=(("Content-Encoding", coding),), body=bomb))
    result = send(transport, receiver.url("/hook"))
    assert result.error is None
    assert result.body == bomb[:MAX_BODY_KEPT_BYTES]
    assert result.truncated == (len(bomb) > MAX_BODY_KEPT_BYTES)
    assert receiver.requests[0].header("Accept-Encoding") is None


@pytest.mark.parametrize(
    "raw",
    [
        None,
        CHUNKED + b"ffffffff\r\n",
        OK + b"Content-Length: 9999999999\r\n\r\n",
        OK + b"Connection: close\r\n\r\n",
    ],
    ids=["no length", "one chunk of 4 GiB", "10 GB", "until closed"],
)
def test_an_endless_body_is_cut_after_64_kib_and_its_status_counts(
    transport: Transport, receiver: Receiver, raw: bytes
) -> None:
    receiver.on("/hook", Reply(raw=raw, body=b"a" * 8192, endless=True))
    result = send(transport, receiver.url("/hook"))
    assert (result.status_code, result.truncated, result.error) == (200, True, None)
    assert result.body == b"a" * MAX_BODY_KEPT_BYTES
    assert result.duration_ms < 2_000
    assert (
        send(transport, receiver.url("/next")).connect_ms is not None
    )  # not on the cut connection


def test_a_body_of_single_bytes_is_cut_after_4096_pieces(
    transport: Transport, receiver: Receiver
) -> None:
    receiver.on("/hook", Reply(raw=CHUNKED, body=b"1\r\na\r\n" * 2_000, endless=True))
    result = send(transport, receiver.url("/hook"))
    assert (result.status_code, result.truncated, result.error) == (200, True, None)
    assert result.body == b"a" * MAX_BODY_PIECES
    assert send(transport, receiver.url("/next")).connect_ms is not None


def test_a_reset_is_a_connection_broken_off(transport: Transport, receiver: Receiver) -> None:
    url = receiver.on("/hook", Reply(raw=b"", then="reset"))
    result = send(transport, url)
    assert verdict_of(result).failure == "connection_reset"
    assert error_of(result).evidence["errno"] == 104


SLOW = {
    "silence": (Reply(delay_seconds=30), "timeout"),
    "dripped status line": (Reply(drip=(1, 0.1)), "timeout"),
    "dripped headers": (Reply(headers=(("X-A", "b" * 500),), drip=(4, 0.1)), "timeout"),
    "dripped body": (Reply(body=b"a" * 900, drip=(60, 0.2)), "timeout"),
    "dripped chunks": (Reply(raw=CHUNKED + b"1\r\na\r\n" * 90, drip=(6, 0.1)), "timeout"),
    "dripped 1xx": (Reply(raw=b"HTTP/1.1 102 X\r\n\r\n" * 90, drip=(18, 0.1)), "timeout"),
    "dripped trailers": (
        Reply(raw=CHUNKED + b"0\r\n" + b"A: b\r\n" * 90, drip=(8, 0.1)),
        "timeout",
    ),
    "stalled body": (Reply(raw=OK + b"Content-Length: 9\r\n\r\nhalf", then="hold"), "timeout"),
    "only 100": (Reply(raw=b"HTTP/1.1 100 X\r\n\r\n", then="hold"), "timeout"),
    "stalled headers": (Reply(raw=OK + b"X-A: b", then="hold"), "timeout"),
    "endless chunk extension": (
        Reply(raw=CHUNKED + b"2;", body=b"x" * 4096, endless=True),
        "timeout",
    ),
}


def test_each_slow_receiver_is_given_up_at_the_deadline() -> None:
    """All at once, as they would come; the deadline is for look-up, connection and answer."""
    deadline_seconds = 0.8
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        silent = stack.enter_context(Receiver(silent=True))
        secure = stack.enter_context(Receiver(certificate=certificates.good(), silent=True))
        names = Names(slow_example=3.0)
        transport = stack.enter_context(open_transport(resolve=names))
        urls = {receiver.on(f"/{n}", case[0]): case[1] for n, case in enumerate(SLOW.values())}
        urls[secure.url("/handshake")] = "connect_timeout"
        urls[f"http://127.0.0.1:{stack.enter_context(full_backlog())}/"] = "connect_timeout"
        urls["http://slow.example/"] = "dns_failed"
        unread = silent.url("/unread")
        urls[unread] = "timeout"
        for url in urls:
            body = b"x" * 30_000_000 if url == unread else b"{}"
            transport.add(request(url, key=url, body=body, timeout_seconds=deadline_seconds))
        started = time.monotonic()
        ended: dict[str, tuple[TransportResult, float]] = {}
        while len(ended) < len(urls) and time.monotonic() < started + 10:
            for result in transport.poll(0.1):
                ended[result.key] = (result, time.monotonic() - started)
    assert {url: verdict_of(result).failure for url, (result, _) in ended.items()} == urls
    for url, (result, seconds) in ended.items():
        assert seconds < deadline_seconds + 0.5, url
        assert result.duration_ms / 1000 < deadline_seconds + 0.5
        explanation = explain_to_tenant(result, url, timeout_seconds=deadline_seconds)
        assert "within 0.8 seconds" in explanation.text or "DNS did not answer" in explanation.text
