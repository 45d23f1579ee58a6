"""The base of the API's views: one tenant, named scopes, known query parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, ClassVar, cast

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from subscriptions.audit import Actor
from subscriptions.client_address import client_address
from subscriptions.errors import MAX_FAULTS, Refused, SeveralRefused
from subscriptions.models import Broadcaster, PublisherToken, Scope
from subscriptions.rest.parsers import JSONOnly
from subscriptions.rest.query import Query

MAX_BODY_BYTES = 256 * 1024


class TenantViewSet(ViewSet):
    """Everything it touches starts from `broadcaster`, the token's own."""

    # No OPTIONS: the OpenAPI description says what there is.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    content_negotiation_class = JSONOnly
    max_body_bytes = MAX_BODY_BYTES
    # The scope that each action needs; None: any token will do.
    scopes: ClassVar[Mapping[str, Scope | None]] = {}
    # The query parameters of each action that has some.
    queries: ClassVar[Mapping[str, Collection[str]]] = {}

    query: Query

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is not None:
            self.query = Query(request, self.queries.get(self.action, ()))

    @property
    def token(self) -> PublisherToken:
        # HasScope lets nobody in without one.
        return cast(PublisherToken, self.request.auth)

    @property
    def broadcaster(self) -> Broadcaster:
        return self.token.broadcaster

    @property
    def actor(self) -> Actor:
        return Actor.of_token(self.token, client_address(self.request))

    def refuse_body(self) -> None:
        """For actions that take no body. Raises SeveralRefused naming what was sent."""
        data = self.request.data
        if isinstance(data, dict):
            faults = [
                Refused(
                    f"There is no field {str(name)[:60]!r} here: this takes no body.",
                    code="unknown_field",
                    pointer=f"/{str(name)[:60]}",
                )
                for name in islice(data, MAX_FAULTS)
            ]
            if faults:
                raise SeveralRefused(faults)
        else:
            raise Refused("This takes no body: send none.", code="invalid")

    @property
    def default_response_headers(self) -> dict[str, str]:
        # Answers hold tenants' data, and some a token.
        return {"Allow": ", ".join(self.allowed_methods), "Cache-Control": "no-store"}


class UnknownAddress(APIView):
    """The response at any other address below the API's: a problem like all others, not a page."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = JSONOnly

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(
            f"There is nothing at {request.path[:200]}: see /api/docs/ for the addresses."
        )


def not_found(what: str, public_id: str) -> NotFound:
    """The exception for an id that does not exist, and for one of another broadcaster."""
    return NotFound(f"There is no {what} {public_id[:80]}.")
