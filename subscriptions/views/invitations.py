"""An invitation: the page that its link leads to."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from subscriptions.accounts.members import accept_invitation, find_invitation, is_for
from subscriptions.errors import PortalError
from subscriptions.models import User
from subscriptions.portal import actor_of, no_store


def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the offered role; POST accepts it for whoever is signed in."""
    invitation = find_invitation(token)
    if invitation is None:
        request.session.pop("invitation", None)
        return no_store(render(request, "subscriptions/invitation_gone.html", status=404))
    if not request.user.is_authenticated:
        # Signing up is allowed with it in the session, and leads back here afterwards.
        request.session["invitation"] = token
    elif request.method == "POST":
        return _accept(request, token)
    inviter = invitation.invited_by
    context = {
        "invitation": invitation,
        "offer": f"{inviter} invites you" if inviter else "You are invited",
        "is_for_other": isinstance(request.user, User) and not is_for(invitation, request.user),
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
