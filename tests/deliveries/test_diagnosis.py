"""Each failure class and the common cases within it, made by a real receiver, not by a faked
error: what it is classified as, and which words its explanation has."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from deliveries.diagnosis import Explanation, Verdict, classify, explain
from deliveries.transport_result import TransportError, TransportResult
from tests import certificates
from tests.deliveries.doors import Names, open_door, send
from tests.receiver import Receiver, Reply, closed_port, full_backlog

FAILURES = {
    "dns_failed", "address_blocked", "connection_refused", "connect_timeout", "tls_expired",
    "tls_hostname", "tls_untrusted", "tls_failed", "timeout", "connection_reset", "bad_response",
    "redirected", "http_4xx", "http_5xx", "gone", "rate_limited", "unexpected_status",
    "interrupted", "internal",
}  # fmt: skip
ONLY_200 = frozenset({200})
HTML = (("Content-Type", "text/html; charset=utf-8"),)


@dataclass(frozen=True)
class Case:
    """A receiver, what it must be classified as, and words that its explanation must have."""

    name: str
    failure: str | None
    words: tuple[str, ...]
    reply: Reply | None = None
    receiver: dict[str, Any] = field(default_factory=dict)
    door: dict[str, Any] = field(default_factory=dict)
    url: Callable[[Receiver], str] | None = None
    request: dict[str, Any] = field(default_factory=dict)
    success_codes: frozenset[int] | None = None
    who: str = "receiver's operator"


def answering(name: str, failure: str | None, status: int, *words: str, **changes: Any) -> Case:
    """A case whose receiver answers with a status; body and headers among the changes."""
    headers, body = changes.pop("headers", ()), changes.pop("body", b"")
    return Case(name, failure, words, Reply(status, "Status", headers, body), **changes)


def with_certificate(name: str, failure: str, certificate: Any, *words: str) -> Case:
    return Case(name, failure, words, receiver={"certificate": certificate})


def location(value: str) -> tuple[tuple[str, str], ...]:
    return (("Location", value),)


def https(receiver: Receiver) -> str:
    return receiver.url("/hook").replace("http:", "https:")


CASES = [
    Case(
        "no such name", "dns_failed", ("does not exist", "spelling"),
        url=lambda receiver: "http://missing.example/", who="you",
    ),
    Case(
        "DNS does not answer", "dns_failed", ("DNS did not answer", "broken.example"),
        url=lambda receiver: "http://broken.example/",
    ),
    Case(
        "DNS hangs", "dns_failed", ("DNS did not answer",),
        url=lambda receiver: "http://slow.example/", request={"timeout_seconds": 0.3},
    ),
    Case(
        "private address behind a name", "address_blocked", ("may not be called", "tunnel"),
        url=lambda receiver: "http://inside.example/", who="you",
    ),
    Case(
        "private address in the URL", "address_blocked", ("a private address",),
        url=lambda receiver: "http://10.0.0.5/", who="you",
    ),
    Case(
        "our own host", "address_blocked", ("this portal itself",),
        url=lambda receiver: "http://portal.example/", who="you",
    ),
    Case(
        "nothing listens", "connection_refused", ("refused the connection", "port"),
        url=lambda receiver: f"http://127.0.0.1:{closed_port()}/",
    ),
    Case(
        "TLS stalls", "connect_timeout", ("TLS handshake", "0.3 seconds"),
        receiver={"certificate": certificates.good(), "silent": True},
        request={"timeout_seconds": 0.3},
    ),
    with_certificate(
        "expired", "tls_expired", certificates.expired(), "expired on 4 March 2024", "Renew"
    ),
    with_certificate("not yet valid", "tls_expired", certificates.not_yet_valid(), "not valid yet"),
    with_certificate(
        "wrong name", "tls_hostname", certificates.wrong_name(),
        "not for 127.0.0.1", "shop.example, *.shop.example",
    ),
    with_certificate("self-signed", "tls_untrusted", certificates.self_signed(), "self-signed"),
    with_certificate(
        "private authority", "tls_untrusted", certificates.private_authority(),
        "unknown authority", "Corporate root",
    ),
    with_certificate(
        "chain incomplete", "tls_untrusted", certificates.incomplete_chain(),
        "chain of 127.0.0.1 is incomplete", "fullchain.pem",
    ),
    Case(
        "old TLS", "tls_failed", ("outdated version of TLS",),
        receiver={"certificate": certificates.good(), "maximum_tls": ssl.TLSVersion.TLSv1_1},
    ),
    Case(
        "no TLS on the port", "tls_failed", ("does not speak TLS",),
        receiver={"greeting": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
        url=https, who="you",
    ),
    Case("hung up in TLS", "tls_failed", ("broken off",), receiver={"slam": True}, url=https),
    Case(
        "silence", "timeout", ("did not answer within 0.3 seconds", "queue"),
        Reply(delay_seconds=9), request={"timeout_seconds": 0.3},
    ),
    Case(
        "half a body, then silence", "timeout", ("did not finish", "4 of 100 bytes"),
        Reply(headers=(("Content-Length", "100"),), body=b"half", then="hold"),
        request={"timeout_seconds": 0.3},
    ),
    Case("reset", "connection_reset", ("without an answer",), Reply(raw=b"", then="reset")),
    Case("empty answer", "connection_reset", ("without an answer",), Reply(raw=b"", then="close")),
    Case(
        "reset within the answer", "connection_reset", ("broke off its answer",),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", then="reset"),
    ),
    Case(
        "no HTTP", "bad_response", ("does not begin like an HTTP response",),
        Reply(raw=b"220 mail.example ESMTP\r\n\r\n", then="close"),
    ),
    Case(
        "WebSocket", "bad_response", ("101 Switching",),
        Reply(raw=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", then="hold"),
    ),
    Case(
        "too short", "bad_response", ("ended before the length",),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nhalf", then="close"),
    ),
    Case(
        "headers without end", "bad_response", ("64 KiB",),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 120_000, then="hold"),
    ),
    answering("slash", "redirected", 301, "Add the slash", headers=location("/hook/"), who="you"),
    answering("https", "redirected", 308, "wants https", headers=location("https://127.0.0.1/hook"), who="you"),
    answering("elsewhere", "redirected", 302, "another host", "https://new.example/x", headers=location("https://new.example/x"), who="you"),
    answering("to a login", "redirected", 302, "login page", headers=location("/users/sign_in?next=/hook")),
    answering("redirect to nowhere", "redirected", 302, "without saying where"),
    answering("401 with a challenge", "http_4xx", 401, "asks for a login", headers=(("WWW-Authenticate", "Basic"),)),
    answering("401", "http_4xx", 401, "signature", "debugger"),
    answering("403", "http_4xx", 403, "403 Forbidden", "allow-lists"),
    answering("403 by Cloudflare", "http_4xx", 403, "firewall", "Cloudflare", headers=(*HTML, ("Server", "cloudflare"), ("cf-mitigated", "challenge")), body=b"<html><title>Just a moment...</title>"),
    answering("403 by Django's CSRF guard", "http_4xx", 403, "CSRF", "@csrf_exempt", headers=HTML, body=b"<h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>"),
    answering("419 by Laravel", "http_4xx", 419, "VerifyCsrfToken", headers=HTML, body=b"<title>Page Expired</title>"),
    answering("404", "http_4xx", 404, "nothing at /hook", who="you"),
    answering("tunnel is down", "http_4xx", 404, "tunnel", "ngrok", headers=(("ngrok-error-code", "ERR_NGROK_3200"),), who="you"),
    answering("405", "http_4xx", 405, "does not take POST", headers=(("Allow", "GET, HEAD"),)),
    answering("410", "gone", 410, "suspends", who="you"),
    answering("413", "http_4xx", 413, "client_max_body_size"),
    answering("415", "http_4xx", 415, "Content-Type", "application/json"),
    answering("418", "http_4xx", 418, "refused the request", body=b'{"error":"I am a teapot"}'),
    answering("422", "http_4xx", 422, "refused its content"),
    answering("429 with Retry-After", "rate_limited", 429, "Retry-After", headers=(("Retry-After", "120"),), who="you"),
    answering("429", "rate_limited", 429, "did not say how long", who="you"),
    answering("500", "http_5xx", 500, "code failed"),
    answering("502", "http_5xx", 502, "down or crashed"),
    answering("503", "http_5xx", 503, "maintenance", headers=(("Retry-After", "30"),)),
    answering("504", "http_5xx", 504, "waited too long"),
    answering("521", "http_5xx", 521, "Cloudflare"),
    answering("599", "http_5xx", 599, "failed while handling"),
    answering("204 where only 200 counts", "unexpected_status", 204, "does not count as success", "exactly 200", success_codes=ONLY_200),
    answering("999", "unexpected_status", 999, "strange status"),
    answering("200", None, 200, "Delivered", "any 2xx", who="nobody"),
    answering("200 where only 200 counts", None, 200, "exactly 200", success_codes=ONLY_200, who="nobody"),
    answering("200 with a login page", None, 200, "login page", headers=HTML, body=b"<html><title>Sign in</title><input type='password'>", who="you"),
    answering("200 with a tunnel's warning", None, 200, "warning page of ngrok", headers=HTML, body=b"<html>You are about to visit: a.ngrok-free.app, served by", who="you"),
    answering("200 with a default page", None, 200, "default page", headers=HTML, body=b"<html><title>Welcome to nginx!</title>", who="you"),
    answering("200 with a web page", None, 200, "web page", body=b"<!DOCTYPE html><p>Shop", who="you"),
    answering("200 that says error", None, 200, "speaks of an error", body=b'{"success":false}', who="you"),
]  # fmt: skip


@contextmanager
def outcome(case: Case) -> Iterator[tuple[TransportResult, Verdict, Explanation]]:
    names = Names(
        broken_example=socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
        inside_example=["10.0.0.5"],
        slow_example=0.6,
    )
    own = frozenset({"portal.example"})
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver(**case.receiver))
        door = stack.enter_context(open_door(resolve=names, refused_hosts=own, **case.door))
        if case.reply is not None:
            receiver.on("/hook", case.reply)
        url = case.url(receiver) if case.url else receiver.url("/hook")
        result = send(door, url, **case.request)
        verdict = classify(result, success_codes=case.success_codes)
        yield result, verdict, explained(case, url, result, verdict)


def explained(case: Case, url: str, result: TransportResult, verdict: Verdict) -> Explanation:
    return explain(
        failure=verdict.failure,
        status_code=result.status_code,
        # As it comes back from the database.
        evidence=json.loads(json.dumps(verdict.evidence)),
        platform_title="Clawget",
        url=url,
        success_codes=case.success_codes,
        timeout_seconds=case.request.get("timeout_seconds", 3.0),
        response_body=result.body,
        response_headers=result.headers,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_receiver_gets_its_own_class_and_explanation(case):
    with outcome(case) as (_result, verdict, explanation):
        assert verdict.failure == case.failure, verdict
        assert verdict.outcome == ("failed" if case.failure else "succeeded")
        everything = explanation.text + str(explanation.evidence)
        for words in case.words:
            assert words in everything
        assert explanation.who == case.who
        assert explanation.action.endswith((".", "?"))
        assert "  " not in explanation.text
        assert "\n" not in explanation.text


def test_a_connection_that_nobody_takes_is_a_connect_timeout():
    with full_backlog() as port:
        case = Case("dropped", "connect_timeout", (), url=lambda _: f"http://127.0.0.1:{port}/hook")
        case = replace(case, request={"timeout_seconds": 0.3})
        with outcome(case) as (_, verdict, explanation):
            assert verdict.failure == "connect_timeout"
            assert "firewall" in explanation.text


def test_every_class_of_the_api_is_produced_or_made_by_the_portal_itself():
    made_by_us = {"interrupted", "internal"}
    assert {case.failure for case in CASES} | made_by_us == FAILURES | {None}


def test_the_two_classes_that_the_portal_makes_itself_are_explained():
    words = {"interrupted": "cut short", "internal": "on our side"}
    for failure, expected in words.items():
        assert expected in bare(failure).text
    assert "signing token" in bare("internal", {"reason": "wrong_key"}).text
    assert bare("internal").who == "platform operator"


def bare(
    failure: str | None, evidence: dict[str, Any] | None = None, **changes: Any
) -> Explanation:
    values: dict[str, Any] = {
        "failure": failure,
        "status_code": None,
        "evidence": evidence or {},
        "platform_title": "Cleeng",
        "url": "https://shop.example/hook",
        "success_codes": None,
        "timeout_seconds": 15.0,
        "response_body": b"",
        "response_headers": (),
    }
    return explain(**values | changes)


@pytest.mark.parametrize("failure", sorted(FAILURES))
@pytest.mark.parametrize("status", [None, 100, 204, 302, 400, 404, 410, 429, 500, 999])
def test_every_class_can_be_explained_from_nothing_but_itself(failure, status):
    explanation = bare(failure, status_code=status)
    assert explanation.title
    assert explanation.cause
    assert explanation.action


def test_a_class_of_a_later_version_is_explained_as_well_as_can_be():
    assert bare("from_the_future").title


def test_a_refused_address_tells_a_tenant_nothing_about_the_inside():
    """Whatever the address, the port, or whether anything listens: the same words."""
    names = Names(
        a_example=["10.0.0.5"], b_example=["10.0.0.6", "192.168.1.1"], c_example=["::1"],
        d_example=["169.254.169.254"],
    )  # fmt: skip
    seen = set()
    with open_door(allowed_networks=(), resolve=names) as door, Receiver() as listening:
        names.names["e.example"] = ["127.0.0.1"]
        for name in "abcde":
            for port in (443, listening.port, closed_port()):
                url = f"https://{name}.example:{port}/"
                result = send(door, url)
                verdict = classify(result, success_codes=None)
                shown = bare(verdict.failure, verdict.evidence, url=url)
                told = {k: v for k, v in verdict.evidence.items() if k != "operator_only"}
                seen.add(
                    (
                        shown.text.replace(f"{name}.example", "HOST"),
                        str(shown.evidence),
                        json.dumps(told),
                        result.remote_address,
                    )
                )
                assert verdict.evidence["operator_only"]["address"]
                assert verdict.evidence["operator_only"]["reason"]
    assert len(seen) == 1


def test_a_success_on_a_second_connection_says_so():
    with Receiver() as receiver, open_door() as door:
        receiver.on("/hook", Reply(then="close"))
        outcomes = [send(door, receiver.url("/hook")) for _ in range(3)]
    again = [result for result in outcomes if result.sent_again]
    for result in again:
        verdict = classify(result, success_codes=None)
        assert verdict.evidence["sent_again"] is True
        assert "new one" in str(bare(None, verdict.evidence, status_code=200).evidence)


def test_the_certificate_s_expiry_is_evidence_of_a_success_too():
    with Receiver(certificate=certificates.good()) as receiver, open_door() as door:
        verdict = classify(send(door, receiver.url()), success_codes=None)
    assert verdict.outcome == "succeeded"
    moment = datetime.fromisoformat(verdict.evidence["certificate_expires_at"])
    assert moment == certificates.good().certificate.not_valid_after_utc


def test_what_a_receiver_says_is_shown_on_one_line_with_nothing_hidden_in_it():
    nasty = "a\x00b\x1b[31m\u202egnp.exe\r\nX" + "z" * 5000
    explanation = bare("http_4xx", status_code=400, response_body=nasty.encode())
    (_, answer) = explanation.evidence[-1]
    assert len(answer) <= 200
    assert answer.isprintable()
    assert "\u202e" not in answer


def fake_error(code: int, message: str = "", **evidence: Any) -> TransportResult:
    """For faults of the portal's own side, which no receiver can produce."""
    error = TransportError(code, message, "connect", evidence=evidence)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return TransportResult(
        "key", now, None, 1.0, None, None, None, None, "", None, (), b"", False, error
    )


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (fake_error(5, "Could not resolve proxy"), "internal"),
        (fake_error(7, "Failed to connect", through_proxy=True, errno=111), "internal"),
        (fake_error(56, "CONNECT tunnel failed, response 403"), "address_blocked"),
        (fake_error(56, "CONNECT tunnel failed, response 502"), "connection_refused"),
        (fake_error(7, "Failed to connect", errno=113), "connection_refused"),
        (fake_error(7, "Failed to connect", errno=110), "connect_timeout"),
        (fake_error(7, own_fault="no socket: Too many open files"), "internal"),
        (fake_error(77, "error adding trust anchors"), "internal"),
        (fake_error(27, "Out of memory"), "internal"),
    ],
)
def test_our_own_faults_and_the_proxy_s_are_not_blamed_on_the_receiver(result, failure):
    verdict = classify(result, success_codes=None)
    assert verdict.failure == failure
    assert bare(failure, verdict.evidence).text
