"""Explains stored attempts."""

from __future__ import annotations

from deliveries.diagnosis.explanations import AttemptFacts, Explanation, explain
from deliveries.models import Attempt
from subscriptions.models import Endpoint
from subscriptions.platforms.rules import PlatformRules


def explain_attempt(attempt: Attempt, endpoint: Endpoint, rules: PlatformRules) -> Explanation:
    """Explain a stored attempt. endpoint, rules: the attempt's, which the caller has loaded."""
    facts = AttemptFacts(
        failure=attempt.failure or None,
        status_code=attempt.status_code,
        evidence=attempt.evidence,
        platform_title=rules.title,
        url=attempt.request_url,
        success_codes=rules.success_codes,
        timeout_seconds=float(endpoint.timeout_seconds or rules.timeout_seconds),
        response_body=bytes(attempt.response_body),
        response_headers=tuple((name, value) for name, value in attempt.response_headers),
    )
    return explain(facts)
