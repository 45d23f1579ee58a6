"""Each failure class and the common cases within it, made by a real receiver, not by a faked
error: what it is classified as, and which words its explanation has."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from deliveries.diagnosis.classification import Explanation, Verdict, classify, explain
from deliveries.diagnosis.failure import Failure
from deliveries.transport.result import TransportError, TransportResult
from tests import certificates
from tests.broken_receivers import KINDS, NAMES, OWN_HOST, Kind, running
from tests.deliveries.transports import Names, open_transport, send
from tests.receiver import Receiver, Reply, closed_port

FAILURES = set(Failure.values)
# What cannot be told apart from outside, or calls for the same.
SAID_ALIKE = (
    {"DNS does not answer", "DNS hangs"},
    {"reset", "empty answer"},
)


@contextmanager
def outcome(kind: Kind) -> Iterator[tuple[TransportResult, Verdict, Explanation]]:
    """What an attempt brings back from a receiver of this kind."""
    names = Names()
    names.names |= NAMES
    own = frozenset({OWN_HOST})
    with running(kind) as url, open_transport(resolve=names, refused_hosts=own) as transport:
        result = send(transport, url, **kind.request)
        verdict = classify(result, success_codes=kind.success_codes)
        yield result, verdict, explained(kind, url, result, verdict)


def explained(kind: Kind, url: str, result: TransportResult, verdict: Verdict) -> Explanation:
    return explain(
        failure=verdict.failure,
        status_code=result.status_code,
        # As it comes back from the database.
        evidence=json.loads(json.dumps(verdict.evidence)),
        platform_title="Clawget",
        url=url,
        success_codes=kind.success_codes,
        timeout_seconds=kind.request.get("timeout_seconds", 3.0),
        response_body=result.body,
        response_headers=result.headers,
    )


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Explanation]]:
    """By kind, what was said of those tried; shown as a table with -s."""
    said: dict[str, Explanation] = {}
    yield said
    for kind in KINDS:
        if kind.name in said:
            print(row(kind, said[kind.name]))


def row(kind: Kind, said: Explanation) -> str:
    evidence = "; ".join(f"{label}: {value}" for label, value in said.evidence) or "none"
    return (
        f"\n{kind.name}: {kind.failure or 'accepted'}\n  what      {said.title}\n"
        f"  why       {said.cause}\n  evidence  {evidence}\n  who       {said.who}\n"
        f"  to do     {said.action}"
    )


@pytest.mark.waits
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_receiver_gets_its_own_class_and_explanation(kind: Any, told: Any) -> None:
    with outcome(kind) as (_result, verdict, explanation):
        assert verdict.failure == kind.failure, verdict
        assert verdict.outcome == ("failed" if kind.failure else "succeeded")
        everything = explanation.text + str(explanation.evidence)
        for words in kind.words:
            assert words in everything
        assert explanation.who == kind.who
        assert explanation.evidence or kind.failure == "address_blocked"
        others = {other: said for other, said in told.items() if said.text == explanation.text}
        assert all({other, kind.name} in SAID_ALIKE for other in others), others
        told[kind.name] = explanation
        assert explanation.action.endswith((".", "?"))
        assert "  " not in explanation.text
        assert "\n" not in explanation.text


def test_every_class_of_the_api_is_produced_or_made_by_the_portal_itself() -> None:
    made_by_us = {"interrupted", "internal"}
    assert {kind.failure for kind in KINDS} | made_by_us == FAILURES | {None}


def test_the_two_classes_that_the_portal_makes_itself_are_explained() -> None:
    words = {"interrupted": "cut short", "internal": "on our side"}
    for failure, expected in words.items():
        assert expected in bare(failure).text
    assert "signing token" in bare("internal", {"reason": "wrong_key"}).text
    assert bare("internal").who == "platform operator"


@pytest.mark.parametrize(
    ("who", "actor"),
    [
        ("you", "you"),
        ("receiver's operator", "the receiver's operator"),
        ("platform operator", "the platform operator"),
        ("nobody", ""),
    ],
)
def test_an_explanation_names_who_must_act_as_it_stands_in_a_sentence(who: Any, actor: str) -> None:
    assert Explanation("Title", "cause", who, "action").actor == actor


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
def test_every_class_can_be_explained_from_nothing_but_itself(failure: Any, status: int) -> None:
    explanation = bare(failure, status_code=status)
    assert explanation.title
    assert explanation.cause
    assert explanation.action


def test_a_class_of_a_later_version_is_explained_as_well_as_can_be() -> None:
    assert bare("from_the_future").title


def test_a_refused_address_tells_a_tenant_nothing_about_the_inside() -> None:
    """Whatever the address, the port, or whether anything listens: the same words."""
    names = Names(
        a_example=["10.0.0.5"],
        b_example=["10.0.0.6", "192.168.1.1"],
        c_example=["::1"],
        d_example=["169.254.169.254"],
    )
    seen = set()
    with open_transport(allowed_networks=(), resolve=names) as transport, Receiver() as listening:
        names.names["e.example"] = ["127.0.0.1"]
        for name in "abcde":
            for port in (443, listening.port, closed_port()):
                url = f"https://{name}.example:{port}/"
                result = send(transport, url)
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


def test_a_success_on_a_second_connection_says_so() -> None:
    with Receiver() as receiver, open_transport() as transport:
        receiver.on("/hook", Reply(then="close"))
        outcomes = [send(transport, receiver.url("/hook")) for _ in range(3)]
    again = [result for result in outcomes if result.sent_again]
    for result in again:
        verdict = classify(result, success_codes=None)
        assert verdict.evidence["sent_again"] is True
        assert "new one" in str(bare(None, verdict.evidence, status_code=200).evidence)


def test_the_certificate_s_expiry_is_evidence_of_a_success_too() -> None:
    with Receiver(certificate=certificates.good()) as receiver, open_transport() as transport:
        verdict = classify(send(transport, receiver.url()), success_codes=None)
    assert verdict.outcome == "succeeded"
    moment = datetime.fromisoformat(verdict.evidence["certificate_expires_at"])
    assert moment == certificates.good().certificate.not_valid_after_utc


def test_what_a_receiver_says_is_shown_on_one_line_with_nothing_hidden_in_it() -> None:
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
def test_our_own_faults_and_the_proxy_s_are_not_blamed_on_the_receiver(
    result: TransportResult, failure: Any
) -> None:
    verdict = classify(result, success_codes=None)
    assert verdict.failure == failure
    assert bare(failure, verdict.evidence).text
