"""Pages of the portal about events and deliveries, and where the request bin receives."""

from django.urls import URLPattern, URLResolver, include, path

from deliveries.request_bin_urls import pages as request_bin_pages
from deliveries.request_bin_urls import receiving
from deliveries.views import (
    deliveries,
    delivery_actions,
    endpoint_tests,
    events,
    fault_pack,
    missed,
    overview,
    signature_debugger,
    test_console,
)

app_name = "deliveries"

delivery_pages = [
    path("", deliveries.delivery_detail, name="delivery-detail"),
    path("resend/", delivery_actions.delivery_resend, name="delivery-resend"),
    path("retry-now/", delivery_actions.delivery_retry_now, name="delivery-retry-now"),
    path("cancel/", delivery_actions.delivery_cancel, name="delivery-cancel"),
    path("test-result/", endpoint_tests.test_result, name="test-result"),
]

broadcaster_pages: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    # event logs
    path("deliveries/", deliveries.delivery_list, name="delivery-list"),
    path("deliveries/change-several/", delivery_actions.delivery_bulk, name="delivery-bulk"),
    path("deliveries/export/", deliveries.delivery_export, name="delivery-export"),
    path("deliveries/<slug:delivery_id>/", include(delivery_pages)),
    # events
    path("events/", events.event_list, name="event-list"),
    path("events/<slug:event_id>/", events.event_detail, name="event-detail"),
    path("events/<slug:event_id>/resend/", events.event_resend, name="event-resend"),
    # tests
    path("webhooks/<slug:endpoint_id>/test/", endpoint_tests.endpoint_test, name="endpoint-test"),
    path(
        "webhooks/<slug:endpoint_id>/rehearse-token/",
        endpoint_tests.endpoint_rehearse_token,
        name="endpoint-rehearse-token",
    ),
    path("webhooks/<slug:endpoint_id>/missed/", missed.endpoint_missed, name="endpoint-missed"),
    path("test-console/", test_console.test_console, name="test-console"),
    path("fault-packs/", fault_pack.test_faults, name="test-faults"),
    path(
        "fault-packs/<slug:run>/",
        fault_pack.test_faults_result,
        name="test-faults-result",
    ),
    path(
        "signature-debugger/",
        signature_debugger.signature_debugger,
        name="signature-debugger",
    ),
    path("request-bin/", include(request_bin_pages)),
]

urlpatterns = [
    path("b/<int:broadcaster_id>/", include(broadcaster_pages)),
    *receiving,
]
