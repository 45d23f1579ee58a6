"""What real receivers, each broken in one way, are classified as, and how that is explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deliveries.diagnosis import Failure, Verdict, classify
from deliveries.diagnosis.explanations import AttemptFacts, Explanation, explain
from deliveries.transport import TransportResult
from tests.broken_receivers import KINDS, NAMES, OWN_HOST, Kind, running
from tests.deliveries.diagnosis.bare_facts import explain_bare
from tests.deliveries.transports import Names, open_transport, send
from tests.receiver import Receiver, Reply, closed_port

# Kinds that cannot be told apart from outside, or call for the same action.
EXPLAINED_ALIKE = (
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
        yield result, verdict, explain_result(kind, url, result, verdict)


def explain_result(kind: Kind, url: str, result: TransportResult, verdict: Verdict) -> Explanation:
    facts = AttemptFacts(
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
    return explain(facts)


@pytest.fixture(scope="module")
def explanations() -> Iterator[dict[str, Explanation]]:
    """The explanations of the kinds tried so far, by name; printed as a table with -s."""
    by_kind: dict[str, Explanation] = {}
    yield by_kind
    for kind in KINDS:
        if kind.name in by_kind:
            print(format_row(kind, by_kind[kind.name]))


def format_row(kind: Kind, explanation: Explanation) -> str:
    evidence = "; ".join(f"{label}: {value}" for label, value in explanation.evidence) or "none"
    return (
        f"\n{kind.name}: {kind.failure or 'accepted'}\n  what      {explanation.title}\n"
        f"  why       {explanation.cause}\n  evidence  {evidence}\n  who       {explanation.who}\n"
        f"  to do     {explanation.action}"
    )


@pytest.mark.waits
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_receiver_gets_its_own_class_and_explanation(
    kind: Kind, explanations: dict[str, Explanation]
) -> None:
    with outcome(kind) as (_result, verdict, explanation):
        assert verdict.failure == kind.failure, verdict
        assert verdict.outcome == ("failed" if kind.failure else "succeeded")
        everything = explanation.text + str(explanation.evidence)
        for words in kind.words:
            assert words in everything
        assert explanation.who == kind.who
        assert explanation.evidence or kind.failure == Failure.ADDRESS_BLOCKED
        others = [name for name, other in explanations.items() if other.text == explanation.text]
        assert all({name, kind.name} in EXPLAINED_ALIKE for name in others), others
        explanations[kind.name] = explanation
        assert explanation.action.endswith((".", "?"))
        assert "  " not in explanation.text
        assert "\n" not in explanation.text


def test_a_receiver_of_some_kind_causes_every_class_but_those_of_our_own_faults() -> None:
    own_faults = {Failure.INTERRUPTED, Failure.INTERNAL}
    assert {kind.failure for kind in KINDS} == {*Failure, None} - own_faults


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
                explanation = explain_bare(verdict.failure, verdict.evidence, url=url)
                for_tenants = verdict.evidence | {"operator_only": None}
                seen.add(
                    (
                        explanation.text.replace(f"{name}.example", "HOST"),
                        str(explanation.evidence),
                        json.dumps(for_tenants),
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
        assert "new one" in str(explain_bare(None, verdict.evidence, status_code=200).evidence)
