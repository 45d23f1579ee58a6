"""What Django answers when no view could: a problem for the API's callers, a page for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from subscriptions.rest.problems import Problem

_API = ("/api/", "/3.1/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if request.path_info.startswith(_API):
        return Problem(400, "bad_request", "The request could not be read.").response(request)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    if request.path_info.startswith(_API):
        detail = "Something failed on our side, and was logged: give the request id to support."
        return Problem(500, "internal_error", detail).response(request)
    return defaults.server_error(request)
