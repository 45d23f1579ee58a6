"""The API's resource of publisher tokens."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from subscriptions.accounts import create_token, revoke_token
from subscriptions.models import PublisherToken, Scope
from subscriptions.paging import Narrowed
from subscriptions.rest.fields import Input, Output, Text, Time
from subscriptions.rest.openapi import PAGE_PARAMETERS, operation, page_output
from subscriptions.rest.pagination import PAGE_QUERY, page_of
from subscriptions.rest.viewsets import TenantViewSet, not_found


class TokenInput(Input):
    name = Text(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False, max_length=20
    )
    expires_at = Time(required=False, allow_null=True)


class TokenOutput(Output):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    hint = serializers.CharField(help_text="The last four characters.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    created_at = Time()
    expires_at = Time(allow_null=True)
    last_used_at = Time(allow_null=True)


class NewTokenOutput(TokenOutput):
    token = serializers.CharField(help_text="Shown here once.")


def represent(token: PublisherToken) -> dict[str, Any]:
    return dict(TokenOutput(token).data)


class TokenViewSet(TenantViewSet):
    scopes = {
        "list": Scope.TOKENS_WRITE,
        "create": Scope.TOKENS_WRITE,
        "destroy": Scope.TOKENS_WRITE,
    }
    queries = {"list": PAGE_QUERY}

    @operation(
        "List tokens",
        responses={200: page_output(TokenOutput)},
        parameters=PAGE_PARAMETERS,
        tag="Tokens",
        description="Those that are not revoked.",
    )
    def list(self, request: Request) -> Response:
        rows = PublisherToken.objects.filter(broadcaster=self.broadcaster, revoked_at=None)
        return Response(page_of(Narrowed(rows), self.query).body(represent))

    @operation(
        "Make a token",
        responses={201: NewTokenOutput},
        problems=[409],
        body=TokenInput,
        tag="Tokens",
        description="Its scopes can only be such as the calling token has itself.",
    )
    def create(self, request: Request) -> Response:
        given = TokenInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        excess = sorted(set(values["scopes"]) - set(self.token.scopes))
        if excess:
            raise PermissionDenied(
                f"This token does not have the scope {excess[0]} itself, so it cannot give it.",
                code="missing_scope",
            )
        created = create_token(
            broadcaster=self.broadcaster,
            name=values["name"],
            scopes=values["scopes"],
            expires_at=values.get("expires_at"),
            actor=self.actor,
        )
        return Response({**represent(created.token), "token": created.plaintext}, status=201)

    @operation("Revoke a token", responses={204: None}, problems=[404], tag="Tokens")
    def destroy(self, request: Request, token_id: str) -> Response:
        self.refuse_body()
        token = PublisherToken.objects.filter(
            broadcaster=self.broadcaster, public_id=token_id, revoked_at=None
        ).first()
        if token is None:
            raise not_found("token", token_id)
        revoke_token(token, actor=self.actor)
        return Response(status=204)
