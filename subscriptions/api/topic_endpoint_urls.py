"""The addresses below /3.1/, which are those of Cleeng's own API."""

from django.urls import path, re_path

from subscriptions.api.topic_endpoints import TopicEndpointsViewSet
from subscriptions.rest.viewsets import UnknownAddress

urlpatterns = [
    path("webhook_subscriptions", TopicEndpointsViewSet.as_view({"get": "list"})),
    path("webhook_subscriptions/<str:topic>", TopicEndpointsViewSet.as_view({"put": "update"})),
    re_path("", UnknownAddress.as_view()),
]
