"""Stored attempts in plain words."""

from __future__ import annotations

from deliveries.diagnosis.classification import Explanation, explain
from deliveries.models import Attempt


def explain_attempt(attempt: Attempt) -> Explanation:
    """What happened, what it means, what to do: from what was stored, by the platform's rules.

    The attempt comes with its endpoint, broadcaster and platform loaded.
    """
    rules = attempt.broadcaster.rules
    return explain(
        # An unknown outcome is stored with its class; a success with none.
        failure=attempt.failure or None,
        status_code=attempt.status_code,
        evidence=attempt.evidence,
        platform_title=rules.title,
        url=attempt.request_url,
        success_codes=rules.success_codes,
        timeout_seconds=float(attempt.endpoint.timeout_seconds or rules.timeout_seconds),
        response_body=bytes(attempt.response_body),
        response_headers=tuple((name, value) for name, value in attempt.response_headers),
    )
