"""Stored attempts in plain words."""

from __future__ import annotations

from deliveries.diagnosis.classification import Explanation, explain
from deliveries.models import Attempt
from subscriptions.models import Endpoint
from subscriptions.platforms.rules import PlatformRules


def explain_attempt(attempt: Attempt, endpoint: Endpoint, rules: PlatformRules) -> Explanation:
    """What happened, what it means, what to do: from what was stored with an attempt.

    endpoint and rules: those of the attempt, which the caller has loaded.
    """
    return explain(
        # An unknown outcome is stored with its class; a success with none.
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
