"""Staff page: the audit log of all broadcasters."""

from __future__ import annotations

from django.contrib import admin

from subscriptions.admin.log_tables import BroadcasterFilter, InputFilter, LogTableAdmin
from subscriptions.models import AuditEntry


class ActionFilter(InputFilter):
    title = "action"
    parameter_name = "action"
    hint = "endpoint.update"


@admin.register(AuditEntry)
class AuditEntryAdmin(LogTableAdmin[AuditEntry]):
    list_display = ["created_at", "broadcaster", "actor_label", "address", "action", "target"]
    list_display_links = ["created_at"]
    list_filter = [BroadcasterFilter, ActionFilter]
    list_select_related = ["broadcaster"]
