"""Switching webhooks on and off, resuming and deleting them, one or several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from subscriptions.audit import Actor
from subscriptions.endpoints.lifecycle import delete_endpoint
from subscriptions.endpoints.status import resume_endpoint, set_endpoint_active
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal import (
    PortalRequest,
    broadcaster_page,
    confirm,
    flash_refusal,
    page,
    redirect_back,
    redirect_to,
)
from subscriptions.portal.endpoint_pages import endpoint_url, started_url
from subscriptions.portal.page_parts import ENDPOINT_STARTED, ENDPOINTS_STOPPING
from subscriptions.views.endpoints import endpoint_or_404, find_endpoints, row_parts

DEACTIVATE_TEXT = (
    "Nothing more is sent to it. Events that come in while it is off are stored: when you switch it "
    "on again, you see what it missed and can replay it."
)
DELETE_TEXT = (
    "Nothing more is sent to it, and its signing token is erased. Its event logs can still be read."
)
DEACTIVATE_SEVERAL_TEXT = (
    "Nothing more is sent to them. Events that come in while they are off are stored: when you "
    "switch one on again, you see what it missed and can replay it."
)
DELETE_SEVERAL_TEXT = (
    "Nothing more is sent to them, and their signing tokens are erased. Their event logs can still "
    "be read."
)
ACTIVATE_SEVERAL_TEXT = (
    "They get events from now on. What each missed while it was off is on its page, to be replayed."
)


def _list_url(request: PortalRequest) -> str:
    return reverse("subscriptions:endpoint-list", args=[request.broadcaster.pk])


def _is_from_row(request: PortalRequest) -> bool:
    return bool(request.htmx and request.POST.get("row"))


def _respond_started(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    """The row again with what it missed, if the list asked; else the page that shows that."""
    if _is_from_row(request):
        return _row(request, endpoint, started=True)
    return redirect_to(request, started_url(endpoint))


def _respond(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    """The row again if the list asked for it; else the page that the form was on."""
    if _is_from_row(request):
        return _row(request, endpoint)
    return redirect_back(request, endpoint_url(endpoint))


def _row(request: PortalRequest, endpoint: Endpoint, *, started: bool = False) -> HttpResponse:
    changed = endpoint_or_404(request, endpoint.public_id)
    context = {
        "endpoint": changed,
        "parts": row_parts(request, [changed]),
        "started": ENDPOINT_STARTED.collect(request, changed) if started else [],
        "with_messages": True,
    }
    return page(request, "subscriptions/_endpoint_row.html", context)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def set_active(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """POST active=1 or 0. GET asks before switching off, since that cancels deliveries."""
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return confirm(
            request,
            title=f"Switch off {endpoint.name}?",
            text=DEACTIVATE_TEXT,
            parts=ENDPOINTS_STOPPING.collect(request, [endpoint]),
            action=endpoint_url(endpoint, "set-active"),
            fields=[("active", "0")],
            button="Switch off",
            back=endpoint_url(endpoint),
        )
    active = request.POST.get("active") == "1"
    has_changed = set_endpoint_active(endpoint=endpoint, active=active, actor=request.actor)
    if has_changed and active:
        messages.success(request, f"{endpoint.name} is active: it gets events from now on.")
        return _respond_started(request, endpoint)
    if has_changed:
        text = f"{endpoint.name} is off. Deliveries that were waiting for it are cancelled."
        messages.success(request, text)
    return _respond(request, endpoint)


@broadcaster_page(Role.DEVELOPER)
@require_POST
def resume(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    try:
        resume_endpoint(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
        return _respond(request, endpoint)
    messages.success(request, f"{endpoint.name} is active again.")
    return _respond_started(request, endpoint)


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """GET asks first."""
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return confirm(
            request,
            title=f"Delete {endpoint.name}?",
            text=DELETE_TEXT,
            parts=ENDPOINTS_STOPPING.collect(request, [endpoint]),
            detail=endpoint.url,
            action=endpoint_url(endpoint, "delete"),
            button="Delete webhook",
            danger=True,
            back=endpoint_url(endpoint),
            next=_list_url(request),
        )
    delete_endpoint(endpoint=endpoint, actor=request.actor)
    messages.success(request, f"{endpoint.name} is deleted.")
    return redirect_back(request, _list_url(request))


def _activate(endpoint: Endpoint, actor: Actor) -> bool:
    return set_endpoint_active(endpoint=endpoint, active=True, actor=actor)


def _deactivate(endpoint: Endpoint, actor: Actor) -> bool:
    return set_endpoint_active(endpoint=endpoint, active=False, actor=actor)


def _delete(endpoint: Endpoint, actor: Actor) -> bool:
    delete_endpoint(endpoint=endpoint, actor=actor)
    return True


class _Action(NamedTuple):
    """Something that is done to several webhooks; `apply` says whether one was changed."""

    button: str
    done: str
    text: str
    stops: bool
    apply: Callable[[Endpoint, Actor], bool]


_ACTIONS = {
    "activate": _Action("Switch on", "switched on", ACTIVATE_SEVERAL_TEXT, False, _activate),
    "deactivate": _Action("Switch off", "switched off", DEACTIVATE_SEVERAL_TEXT, True, _deactivate),
    "delete": _Action("Delete", "deleted", DELETE_SEVERAL_TEXT, True, _delete),
}


@broadcaster_page(Role.DEVELOPER)
@require_POST
def change_several(request: PortalRequest) -> HttpResponse:
    """POST action=activate, deactivate or delete, and the `chosen` ids; asks first."""
    name = request.POST.get("action", "")
    action = _ACTIONS.get(name)
    chosen = list(find_endpoints(request).filter(public_id__in=request.POST.getlist("chosen")))
    if action is None or not chosen:
        messages.warning(request, "Nothing was changed: choose at least one webhook.")
        return redirect_back(request, _list_url(request))
    if not request.POST.get("confirmed"):
        fields = [("chosen", endpoint.public_id) for endpoint in chosen]
        return confirm(
            request,
            title=f"{action.button} {len(chosen)} webhook{'' if len(chosen) == 1 else 's'}?",
            text=action.text,
            parts=ENDPOINTS_STOPPING.collect(request, chosen) if action.stops else [],
            names=[endpoint.name for endpoint in chosen],
            action=request.path,
            fields=[("action", name), ("confirmed", "1"), *fields],
            button=action.button,
            danger=name == "delete",
            back=_list_url(request),
        )
    changed_count = sum(action.apply(endpoint, request.actor) for endpoint in chosen)
    unchanged_count = len(chosen) - changed_count
    verb = "was" if unchanged_count == 1 else "were"
    rest = f"; {unchanged_count} {verb} so already" if unchanged_count else ""
    text = f"{changed_count} of {len(chosen)} webhooks {action.done}{rest}."
    messages.success(request, text)
    return redirect_back(request, _list_url(request))
