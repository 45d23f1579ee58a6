"""What the report says beside the texts of its finding."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from deliveries.diagnosis.explanations import Explanation
from deliveries.signature_debugger.report import Diagnosis
from deliveries.signature_debugger.search import Trial


def diagnosis(who: Any = "you", trials: int = 1, hidden_trials: int = 0) -> Diagnosis:
    return Diagnosis(
        finding=Mock(),
        explanation=Explanation("Title", "Cause.", who, "Action."),
        mood="bad",
        result="This request does not verify",
        further=(),
        fixes=(),
        guessed_by="",
        trials=tuple(Trial("the body as it came", fits=False) for _ in range(trials)),
        hidden_trials=hidden_trials,
    )


@pytest.mark.parametrize(
    ("who", "actor"),
    [
        ("you", "you, in the code that verifies"),
        ("receiver's operator", "whoever runs what stands before that code"),
        ("nobody", ""),
    ],
)
def test_the_report_says_who_must_act(who: str, actor: str) -> None:
    assert diagnosis(who=who).actor == actor


@pytest.mark.parametrize(
    ("trials", "hidden_trials", "words"), [(1, 0, "1 way"), (2, 0, "2 ways"), (150, 30, "180 ways")]
)
def test_the_report_counts_what_was_tried_whether_it_is_shown_or_not(
    trials: int, hidden_trials: int, words: str
) -> None:
    assert diagnosis(trials=trials, hidden_trials=hidden_trials).trial_count == words
