"""Attempts explained in plain words: what happened, what it means, who must act and what to do.

`explain` chooses by the class of failure; the modules beside it explain one subject each (network,
tls, redirects, statuses, successes), from an attempt's facts alone. `page_signs` finds out who
wrote a response, `status_meanings.toml` holds what each status means. Nothing here is loaded by
the dispatcher, and no explanation repeats what only operators may know.
"""

from deliveries.diagnosis.explanations.by_failure import explain
from deliveries.diagnosis.explanations.explanation import (
    NOBODY,
    OPERATOR,
    RECEIVER,
    YOU,
    Explanation,
    Who,
    clean_line,
)
from deliveries.diagnosis.explanations.facts import AttemptFacts

__all__ = [
    "NOBODY",
    "OPERATOR",
    "RECEIVER",
    "YOU",
    "AttemptFacts",
    "Explanation",
    "Who",
    "clean_line",
    "explain",
]
