"""Explains a success, and doubts one whose response no webhook handler wrote."""

from __future__ import annotations

from deliveries.diagnosis.explanations import page_signs
from deliveries.diagnosis.explanations.explanation import NOBODY, YOU, Explanation
from deliveries.diagnosis.explanations.facts import AttemptFacts


def explain_success(facts: AttemptFacts) -> Explanation:
    evidence = [("Status", f"HTTP {facts.status_code}")]
    if facts.evidence.get("sent_again"):
        evidence.append(("Connection", "a kept one had been closed, so a new one was made"))
    if doubt := _find_doubt(facts):
        return Explanation(
            f"Delivered, but look at the answer of {facts.host}",
            f"{facts.host} answered HTTP {facts.status_code}, which counts as success. {doubt[0]}",
            YOU,
            doubt[1],
            [*evidence, *facts.answer_excerpt],
        )
    return Explanation(
        "Delivered",
        f"{facts.host} answered HTTP {facts.status_code}; {facts.platform_title} counts "
        f"{facts.success_in_words} as success.",
        NOBODY,
        "Nothing to do.",
        evidence,
    )


def _find_doubt(facts: AttemptFacts) -> tuple[str, str] | None:
    """What is odd about a response that counts as success, and what to do; None if nothing is."""
    if tunnel := page_signs.find_tunnel_warning(facts):
        return (
            f"But the answer is the warning page of {tunnel}: the event most likely did not reach "
            "your program.",
            f"Switch {tunnel}'s warning off, or send the header it asks for as a custom header of "
            "the webhook; then resend.",
        )
    if page_signs.is_login_page(facts):
        return (
            "But the answer is a login page: the event most likely did not reach your handler.",
            "Let the webhook's path in without a login, then resend. The signature is what proves "
            "where a request comes from.",
        )
    if what := page_signs.find_placeholder(facts):
        return (
            f"But the answer looks like {what}, not like one that a webhook handler wrote.",
            "Check the path in the URL, and that your handler takes POST there; then resend.",
        )
    if facts.is_html:
        return (
            "But the answer is a web page, which webhook handlers seldom send.",
            "Make sure that your handler, and not some page, lives at this URL.",
        )
    if page_signs.says_error(facts):
        return (
            "But the answer's text speaks of an error.",
            "If the event was not handled, let the receiver answer with a 4xx or 5xx status: "
            f"{facts.platform_title} then tries again.",
        )
    return None
