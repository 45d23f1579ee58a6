"""Staff page: customers' endpoints; of signing tokens it shows the last four characters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from subscriptions.admin.base import NoDeleteAdmin, act_on_each
from subscriptions.audit import SYSTEM
from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.lifecycle import update_endpoint
from subscriptions.endpoints.settings import EndpointSettings
from subscriptions.endpoints.status import resume_endpoint, set_endpoint_active, suspend_endpoint
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.portal import actor_of

SETTINGS = ["name", "url", "description", "active", "rate_limit", "timeout_seconds", "signature"]
_IDENTITY_FIELDS = ["public_id", "broadcaster", "state", "status_reason", "status_changed_at"]
_FORM_FIELDS = [*SETTINGS[:3], "topic_list", *SETTINGS[3:]]
_TOKEN_FIELDS = [
    "shown_headers",
    "token_hint",
    "token_rotated_at",
    "previous_token_hint",
    "previous_expires_at",
]
_TIME_FIELDS = ["created_at", "updated_at", "deleted_at"]


class EndpointForm(forms.ModelForm[Endpoint]):
    """The settings; they are checked by calling the verb in a transaction that is rolled back."""

    topic_list = forms.CharField(
        label="Topics",
        widget=forms.Textarea(attrs={"rows": 6, "cols": 60}),
        help_text="One a line; a single * for all topics, later ones included.",
    )

    class Meta:
        model = Endpoint
        fields = SETTINGS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["topic_list"] = "\n".join(self.instance.topic_names)

    def settings(self) -> EndpointSettings:
        values = {name: self.cleaned_data[name] for name in SETTINGS}
        values["signature"] = values["signature"] or None
        return EndpointSettings(**values, topics=self.cleaned_data["topic_list"].split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                with transaction.atomic():
                    endpoint = Endpoint.objects.get(pk=self.instance.pk)
                    update_endpoint(endpoint=endpoint, settings=self.settings(), actor=SYSTEM)
                    transaction.set_rollback(True)
            except PortalError as error:
                field = error.pointer.strip("/").replace("topics", "topic_list")
                self.add_error(field if field in self.fields else None, error.detail)
        return cleaned


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("active", "Active"),
            ("inactive", "Inactive"),
            ("suspended", "Suspended"),
            ("deleted", "Deleted"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        match self.value():
            case "active":
                return queryset.filter(deleted_at=None, active=True, suspended_at=None)
            case "inactive":
                return queryset.filter(deleted_at=None, active=False)
            case "suspended":
                return queryset.filter(deleted_at=None, active=True, suspended_at__isnull=False)
            case "deleted":
                return queryset.filter(deleted_at__isnull=False)
        return queryset


@admin.register(Endpoint)
class EndpointAdmin(NoDeleteAdmin[Endpoint]):
    form = EndpointForm
    list_display = ["name", "public_id", "broadcaster", "url", "state", "status_changed_at"]
    list_filter = [StatusFilter, "broadcaster__platform", "broadcaster__environment"]
    list_select_related = ["broadcaster"]
    search_fields = ["public_id__exact", "name", "url", "broadcaster__name"]
    search_help_text = "An id (ep_…), or part of a name or URL."
    show_full_result_count = False
    fields = [*_IDENTITY_FIELDS, *_FORM_FIELDS, *_TOKEN_FIELDS, *_TIME_FIELDS]
    readonly_fields = [*_IDENTITY_FIELDS, *_TOKEN_FIELDS, *_TIME_FIELDS]
    actions = ["activate", "deactivate", "suspend", "resume"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        # An endpoint's signing token is for its customer alone, who gets it in the portal.
        return False

    def has_change_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        is_deleted = obj is not None and obj.deleted_at is not None
        return not is_deleted and super().has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        if self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        # Without a form there is no topic_list, which is a field of the form only.
        return [f if f != "topic_list" else "shown_topics" for f in self.fields or ()]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "shown_topics"]

    def save_model(
        self, request: HttpRequest, obj: Endpoint, form: EndpointForm, change: bool
    ) -> None:
        endpoint = Endpoint.objects.get(pk=obj.pk)
        update_endpoint(endpoint=endpoint, settings=form.settings(), actor=actor_of(request))

    @admin.display(description="status")
    def state(self, endpoint: Endpoint) -> str:
        return "Deleted" if endpoint.deleted_at else str(endpoint.status.label)

    @admin.display(description="headers")
    def shown_headers(self, endpoint: Endpoint) -> SafeString | str:
        pairs = mask_headers(endpoint.headers)
        return format_html_join("", "<div>{}: {}</div>", pairs) if pairs else "-"

    @admin.display(description="topics")
    def shown_topics(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.topic_names)

    @admin.action(description="Switch on", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        self._set_active(request, queryset, True, "switched on")

    @admin.action(
        description="Switch off: pending deliveries are cancelled", permissions=["change"]
    )
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        self._set_active(request, queryset, False, "switched off")

    def _set_active(
        self, request: HttpRequest, queryset: QuerySet[Endpoint], active: bool, done: str
    ) -> None:
        actor = actor_of(request)
        act_on_each(
            request,
            queryset,
            lambda endpoint: set_endpoint_active(endpoint=endpoint, active=active, actor=actor),
            done,
        )

    @admin.action(description="Suspend: pending deliveries are cancelled", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        actor = actor_of(request)
        act_on_each(
            request,
            queryset,
            lambda endpoint: suspend_endpoint(
                endpoint=endpoint, reason="Suspended by your operator.", actor=actor
            ),
            "suspended",
        )

    @admin.action(description="Resume: lift a suspension", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        actor = actor_of(request)
        act_on_each(
            request,
            queryset,
            lambda endpoint: resume_endpoint(endpoint=endpoint, actor=actor),
            "resumed",
        )
