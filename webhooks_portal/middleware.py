"""Request ids, the content security policy, and account pages that no cache keeps."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.defaults import bad_request

logger = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# No inline script or style, nothing from elsewhere, no framing. Images may be data: URLs because
# Bootstrap's CSS draws its arrows and check marks with them.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class RequestIdMiddleware:
    """Gives each request an id, the caller's own if it is well-formed, and answers with it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
        request.META["REQUEST_ID"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class ContentSecurityPolicyMiddleware:
    """One policy for all pages; a view that needs another sets the header itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        return response


class AccountPagesMiddleware:
    """Seeds, recovery codes and sign-in forms are kept by no cache, the browser's own included."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/accounts/"):
            response.headers["Cache-Control"] = "no-store"
        return response


class ImpossibleValueMiddleware:
    """Answers 400 where the database was asked for a value that its column cannot hold.

    Filters, keys and choices come from the address or a form as they are: a NUL in a text is
    refused by PostgreSQL's driver, a number beyond bigint by SQLite's, and either would be a 500.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, DataError | OverflowError):
            return None
        logger.warning("%s %s: %s", request.method, request.path, exception)
        return bad_request(request, exception)
