"""Staff page: publisher tokens, of which it shows the last four characters."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from subscriptions.accounts import revoke_token
from subscriptions.admin.base import ReadOnlyAdmin, act_on_each
from subscriptions.models import PublisherToken
from subscriptions.portal import actor_of


@admin.register(PublisherToken)
class PublisherTokenAdmin(ReadOnlyAdmin[PublisherToken]):
    list_display = ["__str__", "broadcaster", "is_live", "expires_at", "revoked_at", "last_used_at"]
    list_filter = ["broadcaster__environment", "broadcaster__platform"]
    list_select_related = ["broadcaster"]
    search_fields = ["public_id__exact", "name", "broadcaster__name", "hint__exact"]
    show_full_result_count = False
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.display(boolean=True, description="live")
    def is_live(self, token: PublisherToken) -> bool:
        return token.is_live

    @admin.action(description="Revoke: from now on it opens nothing", permissions=["operate"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PublisherToken]) -> None:
        def revoke(token: PublisherToken) -> bool:
            revoke_token(token, actor=actor_of(request))
            return token.revoked_at is None

        act_on_each(request, queryset.select_related("broadcaster"), revoke, "revoked")
