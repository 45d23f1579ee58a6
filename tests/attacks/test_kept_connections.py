"""Answers that come before their question: none is taken for the answer to the next delivery."""

import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

from tests import certificates
from tests.certificates import Certificate
from tests.deliveries.transports import open_transport, send
from tests.receiver import Receiver, Reply

HONEST = b"HTTP/1.1 503 X\r\nContent-Length: 6\r\n\r\nhonest"
FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"


class Forger:
    """Answers a first request honestly and then, on the kept connection and before the next one,
    unasked: `when` says how soon; "while it is idle" is once `answered` is set. `sent` is set when all of that is on
    its way. Use as a context manager."""

    def __init__(self, when: Any, certificate: Certificate | None = None) -> None:
        self.when = when
        self.answered, self.sent = threading.Event(), threading.Event()
        self.connections = 0
        self._secure = certificate.server_context() if certificate else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __enter__(self) -> "Forger":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._secure:
                connection = self._secure.wrap_socket(connection, server_side=True)
            with connection:
                forging = self.connections == 1
                while connection.recv(65536):
                    self._answer(connection, self.when if forging else "never")
                    forging = False
                    self.sent.set()

    def _answer(self, connection: socket.socket, when: Any) -> None:
        if when == "in one write":
            connection.sendall(HONEST + FORGED)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, when == "in one packet")
        connection.sendall(HONEST)
        if when == "while it is idle":
            self.answered.wait(5)
        if when != "never":
            connection.sendall(FORGED)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


@pytest.mark.parametrize(
    ("when", "certificate"),
    [
        ("in one write", None),
        ("in one packet", None),
        ("while it is idle", None),
        ("in one write", certificates.good()),
        # Two TLS records in one packet are out of sight: OpenSSL reads ahead, and does not tell.
        ("while it is idle", certificates.good()),
    ],
)
def test_an_answer_sent_before_the_request_is_not_taken_for_its_own(
    when: Any, certificate: Certificate | None
) -> None:
    with open_transport() as transport, Forger(when, certificate) as forger:
        first = send(transport, forger.url)
        forger.answered.set()
        assert forger.sent.wait(5)
        second, third = send(transport, forger.url), send(transport, forger.url)
    assert [r.body for r in (first, second, third)] == [b"honest"] * 3
    assert [r.status_code for r in (first, second, third)] == [503] * 3
    assert second.connect_ms is not None  # the connection that had something to say was closed


def test_a_greeting_is_at_most_the_answer_of_the_one_request_that_met_it() -> None:
    """A receiver may answer what it has not read: it is its own event that it loses."""
    early = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"
    with open_transport() as transport, Receiver(greeting=early + early) as receiver:
        receiver.on("/hook", Reply(body=b"right"))
        results = [send(transport, receiver.url("/hook")) for _ in range(4)]
        assert receiver.connections == 4
    assert {r.body for r in results} == {b"early"}
