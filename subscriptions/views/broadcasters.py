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
from subscriptions.portal import (
    PortalForm,
    PortalRequest,
    broadcaster_page,
    no_store,
    one_time_secrets,
    page,
)
from subscriptions.portal.access import actor_of, last_broadcaster
from subscriptions.portal.page_parts import START_PAGE

_SHOWN_NOW = (
    "Your back end publishes events with them. They are shown this once: copy them to where your "
    "secrets are kept."
)
_SHOWN_BEFORE = (
    "They were shown when the broadcaster was created. Lost one? Make a new one and revoke the old."
)


class BroadcasterForm(PortalForm):
    name = forms.CharField(
        max_length=100, help_text="Your company, shop or channel, as your team knows it."
    )
    platform = forms.ModelChoiceField(
        Platform.objects.all(), widget=forms.RadioSelect, empty_label=None
    )


def publisher_token_key(broadcaster: Broadcaster) -> str:
    """The name under which a new publisher token waits to be shown once."""
    return f"publisher:{broadcaster.pk}"


@login_required
def home(request: PortalRequest) -> HttpResponse:
    """Redirects to the start page of the broadcaster used last, or to making the first one."""
    if token := request.session.get("invitation"):
        return redirect("subscriptions:invitation-accept", token=token)
    broadcaster = last_broadcaster(request)
    if broadcaster is None:
        return redirect("subscriptions:broadcaster-new")
    webhooks = reverse("subscriptions:endpoint-list", args=[broadcaster.pk])
    return redirect(START_PAGE.url(broadcaster) or webhooks)


@login_required
def broadcaster_new(request: PortalRequest) -> HttpResponse:
    form = BroadcasterForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            created = create_broadcaster(
                name=form.cleaned_data["name"],
                platform=form.cleaned_data["platform"].name,
                owner=request.user,
                actor=actor_of(request),
            )
        except PortalError as error:
            form.refuse(error)
        else:
            live, sandbox = created.broadcaster, created.sandbox
            one_time_secrets.store(request, publisher_token_key(live), created.token)
            one_time_secrets.store(request, publisher_token_key(sandbox), created.sandbox_token)
            return redirect("subscriptions:broadcaster-welcome", live.pk)
    context = {
        "form": form,
        "platforms": Platform.objects.all(),
        "own": Broadcaster.objects.for_user(request.user).filter(live=None),
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
        if broadcaster
        and (token := one_time_secrets.pop(request, publisher_token_key(broadcaster)))
    ]
    context = {
        "live": live,
        "sandbox": sandbox,
        "tokens": tokens,
        "tokens_text": _SHOWN_NOW if tokens else _SHOWN_BEFORE,
    }
    return no_store(page(request, "subscriptions/broadcaster_welcome.html", context))
