"""Publisher tokens: the list, a new one shown once, and revoking."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from subscriptions.accounts import create_token, revoke_token
from subscriptions.errors import PortalError
from subscriptions.models import Scope
from subscriptions.models.broadcaster import Role
from subscriptions.portal import (
    PortalForm,
    PortalRequest,
    at_least,
    broadcaster_page,
    confirm,
    no_store,
    one_time_secrets,
    page,
    redirect_back,
)
from subscriptions.views.broadcasters import publisher_token_key

_WHY_ONE_IS_NEEDED = "Without one nothing can be published over the API."
_WHO_MAY_MAKE_ONE = "A developer or an owner can make one."


class PublisherTokenForm(PortalForm):
    name = forms.CharField(
        max_length=100, help_text="Where it is used, for example “Billing back end”."
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=Scope.choices,
        initial=[Scope.EVENTS_WRITE],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_on = forms.DateField(
        required=False,
        label="Expires after",
        help_text="The last day it works, in UTC. Empty: it does not expire.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def expires_at(self) -> datetime | None:
        """The end of the chosen day, in UTC; None if none was chosen."""
        day = self.cleaned_data["expires_on"]
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _list_url(request: PortalRequest) -> str:
    return reverse("subscriptions:publisher-token-list", args=[request.broadcaster.pk])


@broadcaster_page()
def token_list(request: PortalRequest) -> HttpResponse:
    whose = "the sandbox's" if request.broadcaster.is_sandbox else "the live ones"
    can_make = at_least(request.role, Role.DEVELOPER)
    listed = list(request.broadcaster.publisher_tokens.all())
    context = {
        "tokens": [token for token in listed if token.is_live],
        "ended": [token for token in listed if not token.is_live][:20],
        "scope_labels": dict(Scope.choices),
        "intro": (
            "Your back end publishes events and uses the API with them. These are "
            f"{whose}, of broadcaster {request.broadcaster.pk}."
        ),
        "empty_text": _WHY_ONE_IS_NEEDED if can_make else _WHO_MAY_MAKE_ONE,
        "new_url": reverse("subscriptions:publisher-token-new", args=[request.broadcaster.pk])
        if can_make
        else "",
        "new_token": one_time_secrets.pop(request, publisher_token_key(request.broadcaster)),
    }
    return no_store(page(request, "subscriptions/publisher_token_list.html", context))


@broadcaster_page(Role.DEVELOPER)
def token_new(request: PortalRequest) -> HttpResponse:
    form = PublisherTokenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            created = create_token(
                broadcaster=request.broadcaster,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at(),
                actor=request.actor,
            )
        except PortalError as error:
            form.refuse(error)
        else:
            one_time_secrets.store(
                request, publisher_token_key(request.broadcaster), created.plaintext
            )
            return redirect(_list_url(request))
    status = 422 if form.errors else 200
    place = "the sandbox" if request.broadcaster.is_sandbox else "the live broadcaster"
    context = {"form": form, "intro": f"For {place} only."}
    return page(request, "subscriptions/publisher_token_new.html", context, status=status)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def revoke(request: PortalRequest, token_id: str) -> HttpResponse:
    token = request.broadcaster.publisher_tokens.filter(public_id=token_id).first()
    if token is None:
        raise Http404(f"No publisher token {token_id} in this broadcaster.")
    if request.method == "GET":
        return confirm(
            request,
            title=f"Revoke {token.name}?",
            text="Whatever uses it is refused from its next request on. This cannot be undone.",
            detail=f"…{token.hint}",
            action=request.path,
            button="Revoke token",
            danger=True,
            back=_list_url(request),
        )
    revoke_token(token, actor=request.actor)
    messages.success(request, f"{token.name} (…{token.hint}) is revoked: it opens nothing now.")
    return redirect_back(request, _list_url(request))
