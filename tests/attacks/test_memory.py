"""Hostile bodies and heads cost a sender time, which ends, and next to no memory."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from tests.receiver import Receiver, Reply

ROOT = Path(__file__).resolve().parents[2]
MAX_GROWN_KIB = 10 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(100_000_000), 9)
BODY = b"a" * 65536

HOSTILE = {
    "endless": Reply(body=BODY, endless=True),
    "10 GB": Reply(raw=OK + b"Content-Length: 9999999999\r\n\r\n", body=BODY, endless=True),
    "one chunk of 4 GiB": Reply(raw=CHUNKED + b"ffffffff\r\n", body=BODY, endless=True),
    "a byte a chunk": Reply(raw=CHUNKED, body=b"1\r\na\r\n" * 10_000, endless=True),
    "gzip bomb": Reply(headers=(("Content-Encoding", "gzip"),), body=BOMB),
    "gzip bomb as transfer coding": Reply(
        raw=OK + b"Transfer-Encoding: gzip\r\n\r\n" + BOMB, then="close"
    ),
    "headers": Reply(raw=OK, body=b"X-A: b\r\n" * 8_000, endless=True),
    "tiny headers": Reply(raw=OK, body=b"a:\r\n" * 16_000, endless=True),
    "one header": Reply(raw=OK + b"X-A: ", body=BODY, endless=True),
    "1xx": Reply(raw=b"", body=b"HTTP/1.1 100 X\r\n\r\n" * 4_000, endless=True),
    "trailers": Reply(raw=CHUNKED + b"0\r\n", body=b"X-A: b\r\n" * 8_000, endless=True),
}


def test_a_run_of_hostile_answers_takes_less_than_10_mb() -> None:
    with Receiver() as receiver:
        urls = [receiver.on(f"/{number}", reply) for number, reply in enumerate(HOSTILE.values())]
        command = [sys.executable, "-m", "tests.attacks.measured_sender", *urls]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["grown_kib"] <= MAX_GROWN_KIB
    # Four endless bodies and the bomb as a body are cut and count; all else is no valid answer.
    assert set(report["met"]) == {"", "bad_response"}
    assert report["met"][""] * len(HOSTILE) == sum(report["met"].values()) * 5
