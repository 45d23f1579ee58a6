"""Explanations from little: each class, each status with a meaning, and strangers' text in them."""

from __future__ import annotations

from typing import get_args

import pytest

from deliveries.diagnosis import Failure
from deliveries.diagnosis.explanations import Explanation, Who
from deliveries.diagnosis.explanations.by_failure import EXPLAINERS
from deliveries.diagnosis.explanations.status_meanings import STATUS_MEANINGS
from tests.deliveries.diagnosis.bare_facts import explain_bare


def test_the_two_classes_of_our_own_faults_are_explained() -> None:
    words = {Failure.INTERRUPTED: "cut short", Failure.INTERNAL: "on our side"}
    for failure, expected in words.items():
        assert expected in explain_bare(failure).text
    assert "signing token" in explain_bare(Failure.INTERNAL, {"reason": "wrong_key"}).text
    assert explain_bare(Failure.INTERNAL).who == "platform operator"


@pytest.mark.parametrize(
    ("who", "actor"),
    [
        ("you", "you"),
        ("receiver's operator", "the receiver's operator"),
        ("platform operator", "the platform operator"),
        ("nobody", ""),
    ],
)
def test_an_explanation_names_who_must_act_as_it_stands_in_a_sentence(who: Who, actor: str) -> None:
    assert Explanation("Title", "cause", who, "action").actor == actor


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("status", [None, 100, 204, 302, 400, 404, 410, 429, 500, 999])
def test_every_class_can_be_explained_from_nothing_but_itself(
    failure: Failure, status: int | None
) -> None:
    explanation = explain_bare(failure, status_code=status)
    assert explanation.title
    assert explanation.cause
    assert explanation.action


def test_a_class_of_a_later_version_is_explained_as_well_as_can_be() -> None:
    assert explain_bare("from_the_future").title


def test_the_start_of_a_response_stands_on_one_line_without_hidden_characters() -> None:
    nasty = "a\x00b\x1b[31m\u202egnp.exe\r\nX" + "z" * 5000
    explanation = explain_bare(Failure.HTTP_4XX, status_code=400, response_body=nasty.encode())
    _, excerpt = explanation.evidence[-1]
    assert len(excerpt) <= 200
    assert excerpt.isprintable()
    assert "\u202e" not in excerpt


def test_each_class_has_an_explanation_of_its_own() -> None:
    assert set(EXPLAINERS) == set(Failure)
    assert len(set(EXPLAINERS.values())) == len(Failure)


@pytest.mark.parametrize("status", STATUS_MEANINGS)
def test_each_meaning_of_a_status_is_whole_and_used(status: int) -> None:
    meaning = STATUS_MEANINGS[status]
    assert all(type(text) is str and text == text.strip() != "" for text in meaning)
    assert meaning.who in get_args(Who)
    failure = Failure.HTTP_4XX if status < 500 else Failure.HTTP_5XX
    explanation = explain_bare(failure, status_code=status)
    assert explanation.title.endswith(f"answered {status} {meaning.name}")
    assert (explanation.cause, explanation.action) == (meaning.meaning, meaning.action)
