"""Staff pages: broadcasters, and the publisher tokens of a new one, shown once."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers

from subscriptions.accounts import create_broadcaster, update_broadcaster
from subscriptions.admin.base import NoDeleteAdmin
from subscriptions.models import Broadcaster, User
from subscriptions.portal import actor_of, one_time_secrets


class NewBroadcasterForm(forms.ModelForm[Broadcaster]):
    owner = forms.EmailField(
        required=False, help_text="Email address of a user; empty: it has no owner yet."
    )

    class Meta:
        model = Broadcaster
        fields = ["name", "platform"]

    def clean_owner(self) -> User | None:
        email = self.cleaned_data["owner"]
        owner = User.objects.filter(email__iexact=email).first() if email else None
        if email and owner is None:
            raise forms.ValidationError(f"There is no user with the address {email}.")
        return owner


@admin.register(Broadcaster)
class BroadcasterAdmin(NoDeleteAdmin[Broadcaster]):
    list_display = ["name", "id", "platform", "environment", "max_endpoints", "paused"]
    list_filter = ["platform", "environment", "paused"]
    list_select_related = ["platform", "live"]
    search_fields = ["name", "=id"]
    show_full_result_count = False
    fields = [
        "name",
        "platform",
        "environment",
        "live",
        "max_endpoints",
        "publish_rate",
        "paused",
        "created_at",
    ]
    readonly_fields = ["platform", "environment", "live", "created_at"]

    def get_form(
        self,
        request: HttpRequest,
        obj: Broadcaster | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewBroadcasterForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Broadcaster | None = None) -> Any:
        return self.fields if obj else ["name", "platform", "owner"]

    def get_readonly_fields(self, request: HttpRequest, obj: Broadcaster | None = None) -> Any:
        return self.readonly_fields if obj else []

    def save_model(self, request: HttpRequest, obj: Broadcaster, form: Any, change: bool) -> None:
        if change:
            update_broadcaster(
                broadcaster=Broadcaster.objects.get(pk=obj.pk),
                name=obj.name,
                max_endpoints=obj.max_endpoints,
                publish_rate=obj.publish_rate,
                paused=obj.paused,
                actor=actor_of(request),
            )
            return
        created = create_broadcaster(
            name=obj.name,
            platform=obj.platform_id,
            owner=form.cleaned_data["owner"],
            actor=actor_of(request),
        )
        # The admin goes on with its own object, which has to become the one that was created.
        obj.__dict__.update(created.broadcaster.__dict__)
        one_time_secrets.store(request, _secret_name(obj.pk), created.token)
        one_time_secrets.store(request, _secret_name(created.sandbox.pk), created.sandbox_token)

    def response_add(
        self, request: HttpRequest, obj: Broadcaster, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(
            reverse("admin:subscriptions_broadcaster_tokens", args=[obj.pk])
        )

    def get_urls(self) -> list[URLPattern]:
        tokens = path(
            "<int:broadcaster_id>/tokens/",
            self.admin_site.admin_view(self.tokens_view),
            name="subscriptions_broadcaster_tokens",
        )
        return [tokens, *super().get_urls()]

    def tokens_view(self, request: HttpRequest, broadcaster_id: int) -> HttpResponse:
        """Show the publisher tokens of a broadcaster just created, once, to whoever created it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        live = cast(Broadcaster, self.get_object(request, str(broadcaster_id)))
        twins = [live, live.twin] if live and live.twin else []
        tokens = [(twin, one_time_secrets.pop(request, _secret_name(twin.pk))) for twin in twins]
        context = {
            **self.admin_site.each_context(request),
            "title": "Publisher tokens",
            "opts": self.opts,
            "original": live,
            "shown": [(twin, token) for twin, token in tokens if token],
        }
        response = TemplateResponse(request, "admin/subscriptions/broadcaster/tokens.html", context)
        add_never_cache_headers(response)
        response["Cache-Control"] = "no-store"
        return response


def _secret_name(broadcaster_id: int) -> str:
    return f"first-token-{broadcaster_id}"
