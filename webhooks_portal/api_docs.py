"""The API's OpenAPI description, and a page to read it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from subscriptions.rest.parsers import JSONOnly


class Schema(SpectacularJSONAPIView):
    """OpenAPI 3.1, as JSON."""

    renderer_classes = [OpenApiJsonRenderer2]
    authentication_classes = ()
    content_negotiation_class = JSONOnly


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files; its start-up script has an address of its own."""

    authentication_classes = ()
    content_negotiation_class = JSONOnly
    url_name = "api-schema"
    template_name = "api_docs.html"
    title = "API"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]  # untyped in drf-spectacular
        if not response.content_type:
            response.content_type = "text/html; charset=utf-8"
        return response
