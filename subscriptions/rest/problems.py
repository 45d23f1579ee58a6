"""Errors as responses: problem details after RFC 9457."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import singledispatch
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import DataError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions

from subscriptions.errors import (
    MAX_FAULTS,
    Conflict,
    NotFound,
    PortalError,
    RateExceeded,
    Refused,
    SeveralRefused,
)

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input.

    pointer: RFC 6901, into the body; "" for all of it.
    """

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What a response says of an error. headers: those that it has besides."""

    status: int
    code: str
    detail: str
    errors: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_faults(cls, status: int, faults: Sequence[Fault]) -> Problem:
        first = faults[0]
        rest = f" ({len(faults) - 1} more in errors.)" if len(faults) > 1 else ""
        return cls(status, first.code, first.detail + rest, tuple(faults))

    def response(self, request: HttpRequest | None) -> HttpResponse:
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [asdict(fault) for fault in self.errors],
            "request_id": request.META.get("REQUEST_ID", "") if request else "",
        }
        # In ASCII: a detail may quote half of a surrogate pair, which UTF-8 cannot encode.
        response = HttpResponse(json.dumps(body), status=self.status, content_type=CONTENT_TYPE)
        for name, value in self.headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        return response


class BadQuery(exceptions.APIException):
    """A query parameter that is unknown, given twice, or has a value that cannot be read (400)."""

    status_code = 400

    def __init__(self, detail: str, *, code: str = "invalid_query") -> None:
        super().__init__(detail, code)


class BodyTooLarge(exceptions.APIException):
    """The body is larger than its address takes (413)."""

    status_code = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The body is larger than {limit_bytes:,} bytes: send less at once.", "body_too_large"
        )


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Django REST framework's hook.

    None for an error of our own, which is logged with its traceback.
    """
    problem = problem_of(error)
    return problem.response(context["request"]) if problem else None


@singledispatch
def problem_of(error: Exception) -> Problem | None:
    """The problem that an error is for the client; None for an error of our own."""
    return None


@problem_of.register
def _refused(error: Refused) -> Problem:
    return Problem.of_faults(422, [Fault(error.pointer, error.code, error.detail)])


@problem_of.register
def _several_refused(error: SeveralRefused) -> Problem:
    return Problem.of_faults(
        422, [Fault(fault.pointer, fault.code, fault.detail) for fault in error.faults]
    )


@problem_of.register
def _conflict(error: Conflict) -> Problem:
    return Problem(409, error.code, error.detail)


@problem_of.register
def _not_found(error: NotFound) -> Problem:
    return Problem(404, error.code, error.detail)


@problem_of.register
def _rate_exceeded(error: RateExceeded) -> Problem:
    wait = {"Retry-After": str(error.retry_after_seconds)}
    return Problem(429, error.code, error.detail, headers=wait)


@problem_of.register
def _other_refusal(error: PortalError) -> Problem:
    return Problem(422, error.code, error.detail)


@problem_of.register
def _no_such_page(error: Http404) -> Problem:
    return Problem(404, "not_found", "There is nothing at this address.")


@problem_of.register
def _forbidden(error: PermissionDenied) -> Problem:
    return Problem(403, "permission_denied", str(error) or "This is not allowed.")


@problem_of.register
def _invalid(error: exceptions.ValidationError) -> Problem:
    return Problem.of_faults(422, list(islice(_list_faults(error.detail, ""), MAX_FAULTS)))


@problem_of.register
def _throttled(error: exceptions.Throttled) -> Problem:
    wait_seconds = max(1, int(getattr(error, "wait", None) or 1))
    detail = f"Too many requests: try again in {wait_seconds} seconds."
    return Problem(429, "throttled", detail, headers={"Retry-After": str(wait_seconds)})


@problem_of.register
def _no_token(error: exceptions.NotAuthenticated) -> Problem:
    error.detail = exceptions.ErrorDetail(
        "No publisher token was given: send it as Authorization: Bearer TOKEN, or as "
        "X-Publisher-Token: TOKEN.",
        "not_authenticated",
    )
    return _api_error(error)


@problem_of.register
def _wrong_method(error: exceptions.MethodNotAllowed) -> Problem:
    detail = f"{error.detail} The Allow header names the methods that are."
    return Problem(error.status_code, "method_not_allowed", detail)


@problem_of.register
def _api_error(error: exceptions.APIException) -> Problem:
    code = getattr(error.detail, "code", None) or error.default_code
    challenge = getattr(error, "auth_header", None)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return Problem(error.status_code, str(code), str(error.detail), headers=headers)


@problem_of.register(OperationalError)
@problem_of.register(InterfaceError)
@problem_of.register(InternalError)
def _database_down(error: Exception) -> Problem:
    # The database is locked, full, restarting, or read-only after a failover: nothing was stored.
    logger.error("The database did not take a request: %s", error)
    return Problem(
        503,
        "database_unavailable",
        f"The database cannot take this now; nothing was stored. Try again in "
        f"{RETRY_AFTER_SECONDS} seconds.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


@problem_of.register
def _bad_value(error: DataError) -> Problem:
    logger.warning("The database refused a value: %s", error)
    return Problem(422, "invalid_value", "A value cannot be stored: out of range, or with a NUL.")


@problem_of.register
def _too_big(error: RequestDataTooBig) -> Problem:
    return Problem(413, "body_too_large", "The body is too large: send less at once.")


@problem_of.register
def _too_many_parameters(error: TooManyFieldsSent) -> Problem:
    return Problem(400, "invalid_query", "There are too many query parameters.")


@problem_of.register(SuspiciousOperation)
@problem_of.register(UnreadablePostError)
def _bad_request(error: Exception) -> Problem:
    return Problem(400, "bad_request", "The request could not be read.")


def _list_faults(detail: Any, pointer: str) -> Iterator[Fault]:
    """Each fault in a ValidationError's detail, with the pointer to its field."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            is_whole = key == "non_field_errors"
            yield from _list_faults(inner, pointer if is_whole else f"{pointer}/{_escape(key)}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_nested = isinstance(inner, Mapping | list)
            if inner:
                yield from _list_faults(inner, f"{pointer}/{index}" if is_nested else pointer)
    else:
        yield Fault(pointer, getattr(detail, "code", None) or "invalid", str(detail))


def _escape(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
