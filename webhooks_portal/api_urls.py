"""The API's description, and a problem for all other addresses below /api/."""

from django.urls import path, re_path

from subscriptions.rest.viewsets import UnknownAddress
from webhooks_portal.api_docs import Docs, Schema

urlpatterns = [
    path("schema/", Schema.as_view(), name="api-schema"),
    path("docs/", Docs.as_view(), name="api-docs"),
    re_path("", UnknownAddress.as_view()),
]
