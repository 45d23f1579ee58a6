"""A real HTTP(S) receiver on loopback that answers as a test says, and keeps what it received."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from tests.certificates import Certificate

# Applies to a TLS handshake, and to each piece of a response that is sent.
_PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came over the wire. raw: every byte of head and body."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes
    connection: int
    received_at: float

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for given, value in self.headers if given.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. Without a Content-Length of its own the reply gets the right one.

    raw: sent instead of status, headers and body. drip: (bytes at a time, seconds between),
    head included. then: "keep" the connection, "close" or "reset" it, or "hold" it open and
    silent. endless: the body is repeated until the client goes away.
    """

    status: int = 200
    reason: str = "OK"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"
    delay_seconds: float = 0.0
    raw: bytes | None = None
    drip: tuple[int, float] | None = None
    then: str = "keep"
    endless: bool = False

    def encode(self) -> bytes:
        if self.raw is not None:
            return self.raw
        names = {name.lower() for name, _ in self.headers}
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if not names & {"content-length", "transfer-encoding"} and not self.endless:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


Script = Reply | Callable[[Received], Reply] | list[Reply]


@dataclass
class Receiver:
    """Use as a context manager. Unscripted paths answer 200 "ok".

    greeting: sent as soon as a connection is there, before any request. silent: connections
    are accepted and never served (a TLS handshake stalls). slam: closed at once.
    """

    certificate: Certificate | None = None
    maximum_tls: ssl.TLSVersion | None = None
    host: str = "127.0.0.1"
    greeting: bytes = b""
    silent: bool = False
    slam: bool = False
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._scripts: dict[str, Script] = {}
        self._arrived = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._context = (
            self.certificate.server_context(self.maximum_tls) if self.certificate else None
        )

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self.host, self.port))
        self._listener.listen(1024)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        # The accepting thread ends first, so that no connection is added after the last look.
        _hang_up(self._listener)
        self._threads[0].join(5)
        for connection in self._sockets:
            _hang_up(connection)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def url(self, path: str = "/", host: str | None = None) -> str:
        scheme = "https" if self.certificate else "http"
        name = host or self.host
        return f"{scheme}://{f'[{name}]' if ':' in name else name}:{self.port}{path}"

    def on(self, path: str, script: Script) -> str:
        """What to answer on `path`: a reply, a function of the request, or replies in turn (the
        last one repeats). Returns the URL of the path."""
        self._scripts[path] = script
        return self.url(path)

    def wait_for(self, count: int, timeout_seconds: float = 5.0) -> list[Received]:
        """The requests so far, as soon as there are `count`; AssertionError if that fails."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.requests) >= count, timeout_seconds)
            got = list(self.requests)
        assert len(got) >= count, f"{len(got)} of {count} requests arrived"
        return got

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        # Errors on a connection come from the client, and are what such tests are about.
        with contextlib.suppress(OSError), connection:
            if self.slam:
                return
            if self.silent:
                self._hold(connection)
                return
            if self._context is not None:
                connection = self._context.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
                self._sockets.append(connection)
            with connection:
                connection.settimeout(_PATIENCE_SECONDS)
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                if self.greeting:
                    connection.sendall(self.greeting)
                self._converse(connection, number)

    def _converse(self, connection: socket.socket, number: int) -> None:
        buffer = bytearray()
        while (request := self._read_request(connection, buffer, number)) is not None:
            with self._arrived:
                self.requests.append(request)
                self._arrived.notify_all()
            reply = self._choose(request)
            self._stopping.wait(reply.delay_seconds)
            self._send(connection, reply)
            if reply.then == "hold":
                self._hold(connection)
            if reply.then == "reset":
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if reply.then != "keep":
                return

    def _choose(self, request: Received) -> Reply:
        script = self._scripts.get(request.path, Reply())
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        return script if isinstance(script, Reply) else script(request)

    def _send(self, connection: socket.socket, reply: Reply) -> None:
        data = reply.encode()
        if reply.drip is not None:
            size, seconds = reply.drip
            for start in range(0, len(data), size):
                connection.sendall(data[start : start + size])
                if self._stopping.wait(seconds):
                    return
        else:
            connection.sendall(data)
        while reply.endless and not self._stopping.is_set():
            connection.sendall(reply.body)

    def _hold(self, connection: socket.socket) -> None:
        while self._receive(connection):
            pass

    def _read_request(
        self, connection: socket.socket, buffer: bytearray, number: int
    ) -> Received | None:
        while b"\r\n\r\n" not in buffer:
            if not (data := self._receive(connection)):
                return None
            buffer += data
        end = buffer.index(b"\r\n\r\n") + 4
        lines = bytes(buffer[: end - 4]).decode("latin-1").split("\r\n")
        headers = tuple(_split_header(line) for line in lines[1:])
        length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
        while len(buffer) < end + length:
            if not (data := self._receive(connection)):
                return None
            buffer += data
        raw = bytes(buffer[: end + length])
        del buffer[: end + length]
        method, target, version = lines[0].split(" ")
        return Received(method, target, version, headers, raw[end:], raw, number, time.time())

    def _receive(self, connection: socket.socket) -> bytes:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                return connection.recv(65536)
        return b""


def _hang_up(connection: socket.socket) -> None:
    """Wake whoever waits for something from it. Not SSLSocket's own way, which others may not see
    in the middle of a call."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _split_header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" ")


def closed_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """Yield a port on which no connection is ever completed, because its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]
