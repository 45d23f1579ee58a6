"""Classification: what is the receiver's failure, what is ours, and what is kept as evidence."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime

import pytest

from deliveries.diagnosis import Failure, classify
from deliveries.transport import TransportResult
from tests import certificates
from tests.deliveries.diagnosis.bare_facts import explain_bare
from tests.deliveries.diagnosis.results import answer, own_fault
from tests.deliveries.transports import open_transport, send
from tests.receiver import Receiver


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (own_fault(5, "Could not resolve proxy"), Failure.INTERNAL),
        (own_fault(7, "Failed to connect", through_proxy=True, errno=111), Failure.INTERNAL),
        (own_fault(56, "CONNECT tunnel failed, response 403"), Failure.ADDRESS_BLOCKED),
        (own_fault(56, "CONNECT tunnel failed, response 502"), Failure.CONNECTION_REFUSED),
        (own_fault(7, "Failed to connect", errno=113), Failure.CONNECTION_REFUSED),
        (own_fault(7, "Failed to connect", errno=110), Failure.CONNECT_TIMEOUT),
        (own_fault(7, own_fault="no socket: Too many open files"), Failure.INTERNAL),
        (own_fault(77, "error adding trust anchors"), Failure.INTERNAL),
        (own_fault(27, "Out of memory"), Failure.INTERNAL),
    ],
)
def test_our_own_faults_and_the_proxy_s_are_not_blamed_on_the_receiver(
    result: TransportResult, failure: Failure
) -> None:
    verdict = classify(result, success_codes=None)
    assert verdict.failure == failure
    assert explain_bare(failure, verdict.evidence).text


def test_the_certificate_s_expiry_is_evidence_of_a_success_too() -> None:
    with Receiver(certificate=certificates.good()) as receiver, open_transport() as transport:
        verdict = classify(send(transport, receiver.url()), success_codes=None)
    assert verdict.outcome == "succeeded"
    moment = datetime.fromisoformat(verdict.evidence["certificate_expires_at"])
    assert moment == certificates.good().certificate.not_valid_after_utc


def test_the_dispatcher_loads_nothing_that_explains() -> None:
    script = "import sys, deliveries.diagnosis; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "deliveries.diagnosis.classification" in modules
    assert not [name for name in modules if name.startswith("deliveries.diagnosis.explanations")]


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_that_the_platform_does_not_count_is_a_failure(status: int) -> None:
    verdict = classify(answer(status), success_codes=frozenset())
    assert verdict.outcome == "failed"
    assert verdict.failure in Failure
    assert classify(answer(status), success_codes=frozenset({status})).failure is None
