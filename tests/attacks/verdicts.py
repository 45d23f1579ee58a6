"""What a tenant gets to read of an attempt: its class and its explanation, as the portal has them."""

from __future__ import annotations

from deliveries.diagnosis import Verdict, classify
from deliveries.diagnosis.explanations import AttemptFacts, Explanation, explain
from deliveries.transport import TransportResult


def verdict_of(result: TransportResult) -> Verdict:
    return classify(result, success_codes=None)


def explain_to_tenant(
    result: TransportResult, url: str, *, timeout_seconds: float = 3.0
) -> Explanation:
    verdict = verdict_of(result)
    facts = AttemptFacts(
        failure=verdict.failure,
        status_code=result.status_code,
        evidence=verdict.evidence,
        platform_title="Cleeng",
        url=url,
        success_codes=None,
        timeout_seconds=timeout_seconds,
        response_body=result.body,
        response_headers=result.headers,
    )
    return explain(facts)
