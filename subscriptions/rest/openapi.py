"""The OpenAPI description of operations: parameters, pages, problems, authentication."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

from subscriptions.rest.authentication import PublisherTokenAuthentication
from subscriptions.rest.fields import Output
from subscriptions.rest.pagination import DEFAULT_LIMIT, MAX_LIMIT
from subscriptions.rest.problems import CONTENT_TYPE

F = TypeVar("F", bound=Callable[..., Any])

REASONS = {
    400: "Malformed JSON, or a query parameter that is unknown or cannot be read.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token lacks the scope.",
    404: "No such thing in this broadcaster.",
    405: "The address does not have this method.",
    409: "The state of things does not allow it: see `code`.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Well-formed, but refused: one entry in `errors` for each fault.",
    429: "Too many requests: wait as long as Retry-After says.",
    503: "The database cannot take it now: nothing was stored. Retry-After says when to ask again.",
}


class PublisherTokenScheme(OpenApiAuthenticationExtension):
    """The two headers that a token may be sent in."""

    target_class = PublisherTokenAuthentication
    name = ["bearerToken", "publisherToken"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A publisher token."},
            {"type": "apiKey", "in": "header", "name": "X-Publisher-Token"},
        ]


class FaultOutput(Output):
    pointer = serializers.CharField(help_text="RFC 6901 pointer into the body; empty: all of it.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemOutput(Output):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What was wrong, with the value, and what to do.")
    code = serializers.CharField(help_text="Stable, for machines.")
    errors_ = FaultOutput(many=True)
    request_id = serializers.CharField()


PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    OpenApiParameter("cursor", str, description="next_cursor or prev_cursor of a page."),
]


def parameter(name: str, description: str, kind: Any = str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, description=description, **options)


def time_parameter(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.DATETIME, description=description)


def page_output(row: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The output of a page of `row`s, as CursorPage.body gives it."""
    name = f"{row.__name__.removesuffix('Output')}Page"
    fields = {
        "data": row(many=True),
        "next_cursor": serializers.CharField(allow_null=True),
        "prev_cursor": serializers.CharField(allow_null=True),
    }
    # drf-spectacular would take an action called `list` to respond with a list of pages.
    page: type[Output] = extend_schema_serializer(many=False)(type(name, (Output,), fields))
    return page()


def operation(
    summary: str,
    *,
    responses: Mapping[int, Any],
    problems: Sequence[int] = (),
    body: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    tag: str,
    description: str = "",
    operation_id: str | None = None,
) -> Callable[[F], F]:
    """Describe an operation: what it takes, its responses, and the problems it can end in.

    responses: the output of each status of success. problems: statuses that are this operation's
    own; every one can end in 400, 401, 403, 405, 429 and 503 besides, and one that takes a body in
    413, 415 and 422.
    """
    statuses = {400, 401, 403, 405, 429, 503, *problems}
    if body is not None:
        statuses |= {413, 415, 422}
    problem_responses: dict[Any, Any] = {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemOutput, description=REASONS[status])
        for status in sorted(statuses)
    }
    return extend_schema(
        summary=summary,
        description=description or None,
        request=body,
        parameters=list(parameters),
        responses={**responses, **problem_responses},
        tags=[tag],
        operation_id=operation_id,
    )
