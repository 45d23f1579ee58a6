"""The request bin: where it receives, and its pages below /b/<broadcaster_id>/request-bin/."""

from django.urls import path

from deliveries.views import request_bin, request_bin_page

# Senders' URLs come with and without the last slash, and a redirect is no answer to a POST.
receiving = [
    path("bin/<slug:bin_id>", request_bin.receive),
    path("bin/<slug:bin_id>/", request_bin.receive, name="request-bin-receive"),
    path("bin/<slug:bin_id>/<path:rest>", request_bin.receive),
]

pages = [
    path("", request_bin_page.request_bin, name="request-bin"),
    path("set-answer/", request_bin_page.request_bin_set_answer, name="request-bin-set-answer"),
    path("empty/", request_bin_page.request_bin_empty, name="request-bin-empty"),
    path("add-webhook/", request_bin_page.request_bin_add_webhook, name="request-bin-add-webhook"),
    path("send-test/", request_bin_page.request_bin_send_test, name="request-bin-send-test"),
    path("<int:request_id>/", request_bin_page.request_bin_request, name="request-bin-request"),
]
