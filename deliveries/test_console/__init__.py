"""How a receiver is tried out before and beside real traffic.

Test requests with a sample of a topic (test_requests, sample_check), the fault pack of requests that
are wrong or unusual on purpose and the grades for how a receiver took them (fault_pack, grading), and
the request bin, a receiver on this server (request_bin). Tests are deliveries like any other, marked
as tests: never retried, counted nowhere. This room knows no views.
"""

from deliveries.test_console.fault_pack import (
    FAULTS,
    RunRequest,
    describe_run,
    explain_unsuitable,
    load_run,
    send_fault_pack,
    summarize_response,
)
from deliveries.test_console.grading import Grade, grade_rehearsal
from deliveries.test_console.test_requests import default_topic, rehearse_token, send_test

__all__ = [
    "FAULTS",
    "Grade",
    "RunRequest",
    "default_topic",
    "describe_run",
    "explain_unsuitable",
    "grade_rehearsal",
    "load_run",
    "rehearse_token",
    "send_fault_pack",
    "send_test",
    "summarize_response",
]
