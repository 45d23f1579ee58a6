"""The addresses of this app below /api/v1/."""

from django.urls import path

from subscriptions.api.catalogue import BroadcasterViewSet, TopicViewSet, UseCaseViewSet
from subscriptions.api.endpoints import EndpointViewSet
from subscriptions.api.publisher_tokens import TokenViewSet

urlpatterns = [
    # account
    path("broadcaster", BroadcasterViewSet.as_view({"get": "retrieve"})),
    path("tokens", TokenViewSet.as_view({"get": "list", "post": "create"})),
    path("tokens/<public_id:token_id>", TokenViewSet.as_view({"delete": "destroy"})),
    # catalogue
    path("topics", TopicViewSet.as_view({"get": "list"})),
    path("topics/<str:name>", TopicViewSet.as_view({"get": "retrieve"})),
    path("use-cases", UseCaseViewSet.as_view({"get": "list"})),
    # endpoints
    path("endpoints", EndpointViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "endpoints/<public_id:endpoint_id>",
        EndpointViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(
        "endpoints/<public_id:endpoint_id>/rotate-token",
        EndpointViewSet.as_view({"post": "rotate_token"}),
    ),
    path("endpoints/<public_id:endpoint_id>/resume", EndpointViewSet.as_view({"post": "resume"})),
]
