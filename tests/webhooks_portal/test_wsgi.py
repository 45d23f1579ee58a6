"""What a client can put into a request line and headers before any view sees it."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from typing import Any

import pytest
from django.test import RequestFactory

from tests.api_clients import account
from webhooks_portal.wsgi import application


def status_of(**environ: Any) -> int:
    """Past the signals of a request's begin and end, which close the test's connection."""
    plain = RequestFactory().get("/healthz", {"x": "1"}).environ
    request = application.request_class({**plain, "wsgi.input": BytesIO(), **environ})
    return application.get_response(request).status_code


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=hex",
        "application/json; charset=utf-16",
        "application/json; charset=zip",
        "application/json; charset=nonsense",
        "application/json; x*=nonsense'en'value",
        "application/json; x*0*=utf-8''%ff; x*1=b",
        "application/json;;;=",
        "\xff\xfe; \x01",
        "; charset",
    ],
)
def test_no_content_type_stops_a_request(content_type: str) -> None:
    assert status_of(CONTENT_TYPE=content_type) == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"topic": "review.created", "data": {}}', 202), (b" " * 300_000, 413)],
)
def test_a_body_of_unknown_length_is_read(body: bytes, status: int) -> None:
    answered = status_of(
        REQUEST_METHOD="POST",
        PATH_INFO="/api/v1/events",
        QUERY_STRING="",
        CONTENT_TYPE="application/json; x*=nonsense'en'value",
        HTTP_TRANSFER_ENCODING="chunked",
        HTTP_X_PUBLISHER_TOKEN=account().token,
        **{"wsgi.input": BytesIO(body)},
    )
    assert answered == status


def test_a_content_length_that_is_no_number_stops_no_request() -> None:
    assert status_of(CONTENT_LENGTH="many") == 200


@pytest.mark.waits
def test_garbage_is_looked_for_as_often_as_python_does() -> None:
    """Each request of the API stays in a cycle, with its body: seldom would be gigabytes late."""
    code = "import gc; usual = gc.get_threshold(); import webhooks_portal.wsgi; assert gc.get_threshold() == usual"
    subprocess.run([sys.executable, "-c", code], check=True)
