"""Where an invitation's link leads."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from subscriptions.accounts.members import accept_invitation, find_invitation, is_for
from subscriptions.errors import PortalError
from subscriptions.models import User
from subscriptions.portal.access import actor_of
from subscriptions.portal.responses import no_store


def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Says what is offered; POST takes it, as whoever is signed in."""
    invitation = find_invitation(token)
    if invitation is None:
        request.session.pop("invitation", None)
        return no_store(render(request, "subscriptions/invitation_gone.html", status=404))
    if not request.user.is_authenticated:
        # Opens sign-up, and brings the user back here afterwards.
        request.session["invitation"] = token
    elif request.method == "POST":
        return _accept(request, token)
    context = {
        "invitation": invitation,
        "other_address": isinstance(request.user, User) and not is_for(invitation, request.user),
    }
    return no_store(render(request, "subscriptions/invitation_accept.html", context))


def _accept(request: HttpRequest, token: str) -> HttpResponse:
    request.session.pop("invitation", None)
    try:
        broadcaster = accept_invitation(
            token=token, user=cast(User, request.user), actor=actor_of(request)
        )
    except PortalError as error:
        messages.error(request, error.detail)
        return redirect("/")
    messages.success(request, f"Welcome to {broadcaster.name}.")
    return redirect("subscriptions:endpoint-list", broadcaster.pk)
