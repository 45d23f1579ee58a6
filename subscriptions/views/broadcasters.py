"""The start page, making a broadcaster, and the page that shows its first tokens."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from subscriptions.accounts import create_broadcaster
from subscriptions.errors import PortalError
from subscriptions.models import Broadcaster, Platform
from subscriptions.models.broadcaster import Role
from subscriptions.portal import one_time_secrets
from subscriptions.portal.access import (
    PortalRequest,
    actor_of,
    broadcaster_page,
    last_broadcaster,
)
from subscriptions.portal.context_processor import page_url
from subscriptions.portal.forms import PortalForm
from subscriptions.portal.responses import no_store, page


class BroadcasterForm(PortalForm):
    name = forms.CharField(
        max_length=100, help_text="Your company, shop or channel, as your team knows it."
    )
    platform = forms.ModelChoiceField(
        Platform.objects.all(), widget=forms.RadioSelect, empty_label=None
    )


@login_required
def home(request: PortalRequest) -> HttpResponse:
    """To the overview of the broadcaster the user was at, or to making one."""
    if token := request.session.get("invitation"):
        return redirect("subscriptions:invitation-accept", token=token)
    broadcaster = last_broadcaster(request)
    if broadcaster is None:
        return redirect("subscriptions:broadcaster-new")
    overview = page_url("deliveries:overview", broadcaster)
    return redirect(overview or reverse("subscriptions:endpoint-list", args=[broadcaster.pk]))


@login_required
def broadcaster_new(request: PortalRequest) -> HttpResponse:
    form = BroadcasterForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_broadcaster(
                name=form.cleaned_data["name"],
                platform=form.cleaned_data["platform"].name,
                owner=request.user,
                actor=actor_of(request),
            )
        except PortalError as error:
            form.refuse(error)
        else:
            one_time_secrets.store(request, f"publisher:{made.broadcaster.pk}", made.token)
            one_time_secrets.store(request, f"publisher:{made.sandbox.pk}", made.sandbox_token)
            return redirect("subscriptions:broadcaster-welcome", made.broadcaster.pk)
    context = {
        "form": form,
        "platforms": Platform.objects.all(),
        "mine": Broadcaster.objects.for_user(request.user).filter(live=None),
    }
    return page(
        request,
        "subscriptions/broadcaster_new.html",
        context,
        status=422 if form.errors else 200,
    )


@broadcaster_page(Role.OWNER)
def welcome(request: PortalRequest) -> HttpResponse:
    """Both publisher tokens, this once, and what to do next."""
    live = request.broadcaster.live or request.broadcaster
    sandbox = live.twin
    tokens = [
        (broadcaster, token)
        for broadcaster in (live, sandbox)
        if broadcaster and (token := one_time_secrets.pop(request, f"publisher:{broadcaster.pk}"))
    ]
    context = {"live": live, "sandbox": sandbox, "tokens": tokens}
    return no_store(page(request, "subscriptions/broadcaster_welcome.html", context))
