"""What a publisher token may do, by its scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from subscriptions.models import PublisherToken

if TYPE_CHECKING:
    from rest_framework.views import APIView

    from subscriptions.rest.viewsets import TenantViewSet


class HasScope(BasePermission):
    """Lets a token through that has the scope the action asks for.

    An action that names no scope is closed to all; one that names None is open to any token.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        if not isinstance(token, PublisherToken):
            return False  # answered with 401, as nobody was authenticated
        viewset = cast("TenantViewSet", view)
        if viewset.action not in viewset.action_map.values():
            return True  # a method that this address does not have: answered with 405
        scope = viewset.scopes[viewset.action]
        if scope is not None and scope not in token.scopes:
            raise PermissionDenied(
                f"This token does not have the scope {scope.value}: use one that has.",
                code="missing_scope",
            )
        return True
