"""A small forward proxy on loopback: CONNECT tunnels, and requests in absolute form."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
from typing import Self

from tests.receiver import closed_port

_HEAD = re.compile(rb"(\S+) (?:http://)?([^/\s:]+):?(\d*)(\S*) HTTP/1.1\r\n")


class Proxy:
    """`places` says where a name is: name -> port on loopback. `heads` are the requests' heads as
    they came in, CONNECT and absolute alike. refuses: answers so to all. Use as a context manager."""

    def __init__(
        self, *, credentials: str = "", refuses: bytes = b"", silent: bool = False
    ) -> None:
        self.places: dict[str, int] = {}
        self.heads: list[bytes] = []
        self._wanted = base64.b64encode(credentials.encode())
        self._refuses = refuses
        self._silent = silent
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        user = f"{credentials}@" if credentials else ""
        self.url = f"http://{user}127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if self._silent:
                self._closing.wait()
                return
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := client.recv(65536)):
                    return
                data += more
            head, rest = data.split(b"\r\n\r\n", 1)
            self.heads.append(head)
            if self._wanted not in head or self._refuses:
                answer = self._refuses or b"HTTP/1.1 407 Who are you?"
                client.sendall(answer + b"\r\nContent-Length: 0\r\n\r\n")
                return
            self._forward(client, head, rest)

    def _forward(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        found = _HEAD.match(head + b"\r\n")
        assert found, head
        method, host, _, path = found.groups()
        port = self.places.get(host.decode(), closed_port())
        with socket.create_connection(("127.0.0.1", port)) as server:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Tunnel\r\nX-Proxy: inside\r\n\r\n")
            else:
                lines = head.split(b"\r\n", 1)[1]
                server.sendall(
                    method + b" " + (path or b"/") + b" HTTP/1.1\r\n" + lines + b"\r\n\r\n" + rest
                )
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
