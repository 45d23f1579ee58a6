"""Staff pages of request bins and of the requests in them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deliveries.models import BinRequest, RequestBin
from deliveries.test_console.request_bin import empty_bin
from subscriptions.admin.base import ReadOnlyAdmin, act_on_each
from subscriptions.admin.log_tables import LogTableAdmin
from subscriptions.portal import actor_of


@admin.register(RequestBin)
class RequestBinAdmin(ReadOnlyAdmin[RequestBin]):
    list_display = ["public_id", "broadcaster", "answer_status", "answer_delay_ms", "created_at"]
    list_select_related = ["broadcaster"]
    search_fields = ["public_id__exact", "broadcaster__name"]
    actions = ["empty"]

    @admin.action(description="Empty: forget what came in", permissions=["operate"])
    def empty(self, request: HttpRequest, queryset: QuerySet[RequestBin]) -> None:
        actor = actor_of(request)
        bins = queryset.select_related("broadcaster")
        act_on_each(request, bins, lambda found: empty_bin(found, actor=actor) > 0, "emptied")


@admin.register(BinRequest)
class BinRequestAdmin(LogTableAdmin[BinRequest]):
    list_display = ["id", "bin", "method", "path", "verified", "answered_status", "received_at"]
    list_filter = ["verified"]
    list_select_related = ["bin"]
    exclude = ["body"]
    readonly_fields = ["shown_body"]

    @admin.display(description="body")
    def shown_body(self, kept: BinRequest) -> SafeString:
        return format_html("<pre>{}</pre>", bytes(kept.body).decode("utf-8", "replace"))
