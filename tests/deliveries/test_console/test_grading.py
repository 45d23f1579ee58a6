"""Grades for how a receiver responds to an unusual test request."""

import pytest

from deliveries.test_console.grading import Grade, ResponseSummary, grade_fault, grade_rehearsal

USUAL = ResponseSummary("", 200)


def answered(code: int | None, failure: str = "") -> ResponseSummary:
    accepted = code is not None and 200 <= code < 300
    return ResponseSummary(failure or ("" if accepted else "http_4xx"), code)


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
def test_each_response_has_its_grade(
    kind: str, answer: ResponseSummary, state: str, words: str
) -> None:
    grade = grade_fault(kind, USUAL, answer)
    assert grade.state == state
    assert words in grade.words


@pytest.mark.parametrize("kind", ["bad_signature", "duplicate", "large_body"])
def test_a_receiver_that_refuses_usual_requests_gets_no_grade(kind: str) -> None:
    grade = grade_fault(kind, ResponseSummary("http_4xx", 404), answered(404))
    assert grade.state == "open"
    assert "HTTP 404" in grade.words


def test_of_two_signatures_the_one_with_the_time_is_named() -> None:
    grade = grade_fault("old_timestamp", USUAL, answered(200), own_header="X-Own")
    assert "X-Own alone carries no time: check webhook-signature." in grade.words


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
def test_a_rehearsal_is_graded_by_its_response(answer: ResponseSummary, state: str) -> None:
    grade = grade_rehearsal(answer, "ab12")
    assert grade.state == state
    assert ("…ab12" in grade.words) == (state != "open")


def test_each_grade_has_a_heading() -> None:
    headings = {state: Grade(state, "").heading for state in ("right", "wrong", "open")}
    assert headings == {"right": "Right", "wrong": "Not right", "open": "Not shown"}
