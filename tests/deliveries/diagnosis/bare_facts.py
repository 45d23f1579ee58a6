"""Explanations of attempts of which nothing is known but what a test says."""

from __future__ import annotations

from typing import Any

from deliveries.diagnosis.explanations import AttemptFacts, Explanation, explain


def explain_bare(
    failure: str | None, evidence: dict[str, Any] | None = None, **changes: Any
) -> Explanation:
    """The explanation of an attempt of which little is known."""
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
    return explain(AttemptFacts(**values | changes))
