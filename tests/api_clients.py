"""Clients of the API for tests, and a check of what every problem document has."""

from __future__ import annotations

from json import dumps
from typing import Any

from django.http import HttpResponse
from django.test import Client

from subscriptions.accounts import CreatedBroadcaster, create_broadcaster, create_token
from subscriptions.audit import COMMAND_LINE
from subscriptions.models import Broadcaster

URL = "https://example.com/hook"
BASE = "/api/v1/"


class Api:
    """Calls as the holder of `token`; an exception in a view fails the test."""

    def __init__(self, token: str = "", *, base: str = BASE) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = Client(headers=headers)
        self._base = base

    def get(self, path: str, /, **query: Any) -> Any:
        return self._client.get(self._base + path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.send("PATCH", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.send("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`body` is JSON text, bytes, or a value to write as JSON."""
        data = b"" if body is None else body if isinstance(body, str | bytes) else dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = named.pop("content-type", "application/json" if data else "")
        return self._client.generic(
            method, self._base + path, data, content_type=content_type, headers=named
        )


def account(platform: str = "clawget", name: str = "Acme") -> CreatedBroadcaster:
    return create_broadcaster(name=name, platform=platform)


def api_with(broadcaster: Broadcaster, *scopes: str) -> Api:
    made = create_token(broadcaster=broadcaster, name="Narrow", scopes=scopes, actor=COMMAND_LINE)
    return Api(made.plaintext)


def problem_of(response: Any, status: int) -> dict[str, Any]:
    """Return the problem in the response, checked for the members that every problem has."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "errors",
        "request_id",
    }
    assert body["status"] == status
    assert body["detail"] and body["code"] and body["title"]
    assert body["request_id"] == response["X-Request-Id"]
    assert all(set(fault) == {"pointer", "code", "detail"} for fault in body["errors"])
    return body


def pointers(response: HttpResponse) -> set[str]:
    return {fault["pointer"] for fault in problem_of(response, 422)["errors"]}
