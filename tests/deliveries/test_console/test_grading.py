"""What a receiver's answer to an unusual test request shows."""

import pytest

from deliveries.test_console.grading import Answer, Verdict, judge, judge_rehearsal

USUAL = Answer("", 200)


def answered(code: int | None, failure: str = "") -> Answer:
    accepted = code is not None and 200 <= code < 300
    return Answer(failure or ("" if accepted else "http_4xx"), code)


@pytest.mark.parametrize(
    ("kind", "answer", "state", "words"),
    [
        ("bad_signature", answered(200), "wrong", "does not check signatures"),
        ("bad_signature", answered(201, "unexpected_status"), "wrong", "does not check signatures"),
        ("bad_signature", answered(401), "right", "Refused with HTTP 401"),
        ("bad_signature", answered(400), "right", "Refused with HTTP 400"),
        ("bad_signature", answered(410), "wrong", "would be suspended"),
        ("bad_signature", answered(500), "wrong", "is no refusal"),
        ("bad_signature", answered(302), "wrong", "is no refusal"),
        ("bad_signature", answered(429), "open", "Send it again"),
        ("bad_signature", answered(None, "timeout"), "open", "No answer in time"),
        ("old_timestamp", answered(204), "wrong", "webhook-timestamp"),
        ("old_timestamp", answered(400), "right", "Refused"),
        ("duplicate", answered(200), "right", "only once is yours to check"),
        ("duplicate", answered(409), "wrong", "Answer 2xx for one that you have had"),
        ("out_of_order", answered(204), "right", "left the newer state alone"),
        ("out_of_order", answered(422), "wrong", "leave the newer state"),
        ("large_body", answered(200), "right", "takes the largest body"),
        ("large_body", answered(413), "wrong", "256 KiB or more"),
        ("large_body", answered(None, "connection_reset"), "open", "Connection broken off"),
    ],
)
def test_each_answer_has_its_verdict(kind: str, answer: Answer, state: str, words: str) -> None:
    verdict = judge(kind, USUAL, answer)
    assert verdict.state == state
    assert words in verdict.words


@pytest.mark.parametrize("kind", ["bad_signature", "duplicate", "large_body"])
def test_nothing_is_shown_by_a_receiver_that_refuses_usual_requests(kind: str) -> None:
    verdict = judge(kind, Answer("http_4xx", 404), answered(404))
    assert verdict.state == "open"
    assert "HTTP 404" in verdict.words


def test_of_two_signatures_the_one_with_the_time_is_named() -> None:
    verdict = judge("old_timestamp", USUAL, answered(200), own_header="X-Own")
    assert "X-Own alone carries no time: check webhook-signature." in verdict.words


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(200), "right"),
        (answered(401), "wrong"),
        (answered(403), "wrong"),
        (answered(503, "http_5xx"), "open"),
        (answered(None, "timeout"), "open"),
    ],
)
def test_a_rehearsal_is_judged_by_its_answer(answer: Answer, state: str) -> None:
    verdict = judge_rehearsal(answer, "ab12")
    assert verdict.state == state
    assert ("…ab12" in verdict.words) == (state != "open")


def test_each_verdict_has_a_heading() -> None:
    headings = {state: Verdict(state, "").heading for state in ("right", "wrong", "open")}
    assert headings == {"right": "Right", "wrong": "Not right", "open": "Not shown"}
