"""The addresses of this app below /api/v1/."""

from django.urls import path

from deliveries.api.deliveries import AttemptViewSet, DeliveryViewSet
from deliveries.api.endpoint_tests import EndpointTestViewSet
from deliveries.api.events import EventBatchViewSet, EventViewSet

urlpatterns = [
    # events
    path("events", EventViewSet.as_view({"get": "list", "post": "create"})),
    path("events/batch", EventBatchViewSet.as_view({"post": "create"})),
    path("events/<public_id:event_id>", EventViewSet.as_view({"get": "retrieve"})),
    # deliveries
    path("deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path("deliveries/<public_id:delivery_id>", DeliveryViewSet.as_view({"get": "retrieve"})),
    path("deliveries/<public_id:delivery_id>/resend", DeliveryViewSet.as_view({"post": "resend"})),
    path("deliveries/<public_id:delivery_id>/cancel", DeliveryViewSet.as_view({"post": "cancel"})),
    path("attempts", AttemptViewSet.as_view({"get": "list"})),
    # endpoints
    path("endpoints/<public_id:endpoint_id>/test", EndpointTestViewSet.as_view({"post": "create"})),
]
