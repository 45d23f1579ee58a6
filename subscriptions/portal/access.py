"""Who may open a portal page: the one check of everything under /b/<broadcaster_id>/."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from subscriptions.audit import Actor
from subscriptions.client_address import client_address
from subscriptions.models import Broadcaster, Member, User
from subscriptions.models.broadcaster import Role

LAST_BROADCASTER = "last_broadcaster"
_RANK = {Role.VIEWER: 0, Role.DEVELOPER: 1, Role.OWNER: 2}


class PortalRequest(HttpRequest):
    """A request that a view decorated with broadcaster_page gets."""

    user: User
    htmx: HtmxDetails
    broadcaster: Broadcaster
    role: Role
    actor: Actor


View = Callable[..., HttpResponseBase]


def at_least(role: Role, needed: Role) -> bool:
    return _RANK[role] >= _RANK[needed]


def actor_of(request: HttpRequest) -> Actor:
    return Actor.of_user(cast(User, request.user), client_address(request))


def redirect_to_sign_in(request: PortalRequest) -> HttpResponseBase:
    """The sign-in page, which leads back to where the user was. htmx loads it as a whole page."""
    if not request.htmx:
        return redirect_to_login(request.get_full_path())
    current = request.htmx.current_url_abs_path or "/"
    return HttpResponseClientRedirect(redirect_to_login(current).url)


def broadcaster_page(role: Role = Role.VIEWER) -> Callable[[View], View]:
    """Decorate a view under /b/<broadcaster_id>/: sets request.broadcaster, .role and .actor.

    The view gets the request and the URL's other arguments. Whoever is signed out is led to the
    sign-in page; a broadcaster that is missing or not theirs is a 404; a role below `role` a 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(
            request: PortalRequest, broadcaster_id: int, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_sign_in(request)
            _enter(request, broadcaster_id)
            if not at_least(request.role, role):
                raise PermissionDenied(
                    f"This needs the role {role.label.lower()}; yours in {request.broadcaster} is "
                    f"{request.role.label.lower()}. An owner of it can change that under Team."
                )
            return view(request, *args, **kwargs)

        return checked

    return decorate


def _enter(request: PortalRequest, broadcaster_id: int) -> None:
    role = Member.objects.filter(
        user=request.user, broadcaster_id=Coalesce(OuterRef("live_id"), OuterRef("pk"))
    ).values("role")
    broadcaster = (
        Broadcaster.objects.for_user(request.user)
        .select_related("platform", "live", "sandbox")
        .annotate(own_role=Subquery(role[:1]))
        .filter(pk=broadcaster_id)
        .first()
    )
    if broadcaster is None:
        raise Http404("No such broadcaster among yours.")
    request.broadcaster = broadcaster
    request.role = Role(vars(broadcaster)["own_role"])
    request.actor = actor_of(request)
    if request.session.get(LAST_BROADCASTER) != broadcaster.pk:
        request.session[LAST_BROADCASTER] = broadcaster.pk


def last_broadcaster(request: PortalRequest) -> Broadcaster | None:
    """The broadcaster whose page the user opened last, or the first of theirs; None without any."""
    own = Broadcaster.objects.for_user(request.user)
    last = own.filter(pk=request.session.get(LAST_BROADCASTER) or 0).first()
    return last or own.filter(live=None).first()
