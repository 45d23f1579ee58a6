"""Explains an attempt: by its class of failure, or as the success that it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deliveries.diagnosis.explanations import network, redirects, statuses, successes, tls
from deliveries.diagnosis.explanations.explanation import Explanation
from deliveries.diagnosis.explanations.facts import AttemptFacts
from deliveries.diagnosis.failure import Failure

EXPLAINERS: Mapping[str, Callable[[AttemptFacts], Explanation]] = {
    Failure.DNS_FAILED: network.explain_dns_failure,
    Failure.ADDRESS_BLOCKED: network.explain_blocked_address,
    Failure.CONNECTION_REFUSED: network.explain_refused_connection,
    Failure.CONNECT_TIMEOUT: network.explain_connect_timeout,
    Failure.TLS_EXPIRED: tls.explain_validity_period,
    Failure.TLS_HOSTNAME: tls.explain_wrong_host_name,
    Failure.TLS_UNTRUSTED: tls.explain_untrusted_certificate,
    Failure.TLS_FAILED: tls.explain_failed_handshake,
    Failure.TIMEOUT: network.explain_timeout,
    Failure.CONNECTION_RESET: network.explain_broken_connection,
    Failure.BAD_RESPONSE: network.explain_bad_response,
    Failure.REDIRECTED: redirects.explain_redirect,
    Failure.HTTP_4XX: statuses.explain_4xx,
    Failure.HTTP_5XX: statuses.explain_5xx,
    Failure.GONE: statuses.explain_gone,
    Failure.RATE_LIMITED: statuses.explain_rate_limit,
    Failure.UNEXPECTED_STATUS: statuses.explain_unexpected_status,
    Failure.INTERRUPTED: network.explain_interruption,
    Failure.INTERNAL: network.explain_own_fault,
}


def explain(facts: AttemptFacts) -> Explanation:
    """The explanation of one attempt, fit for tenants.

    It repeats nothing of evidence["operator_only"]. A failure of a later version is explained as
    a fault on our side.
    """
    if not facts.failure:
        return successes.explain_success(facts)
    return EXPLAINERS.get(facts.failure, network.explain_own_fault)(facts)
