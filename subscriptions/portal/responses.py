"""Answers that several screens give: refused forms, confirmations, pages with a secret."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from subscriptions.errors import PortalError
from subscriptions.portal.access import PortalRequest


def page(
    request: PortalRequest,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, or for htmx only its fragment."""
    name = fragment if fragment and request.htmx else template
    response = render(request, name, context, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response


def confirm(request: PortalRequest, **context: Any) -> HttpResponse:
    """A question before something that cannot be undone: a page, or for htmx a dialog's content.

    context: title, text, action (URL posted to), button, back (URL), and danger, fields, next
    (URL to go on to; else the page that the dialog is on, or back), stopping (webhooks whose pending
    deliveries are cancelled: how many is said).
    """
    here = request.htmx.current_url_abs_path if request.htmx else None
    context.setdefault("next", here or context["back"])
    return page(
        request,
        "subscriptions/confirm.html",
        context,
        fragment="subscriptions/_confirm.html",
    )


def redirect_to(request: PortalRequest, url: str) -> HttpResponse:
    """On to another page, also from a form that htmx sent."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def redirect_back(request: PortalRequest, default: str) -> HttpResponse:
    """To the page that the form says it was on, if it is one of ours."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return redirect_to(request, wanted if safe and wanted.startswith("/") else default)


def flash_refusal(request: PortalRequest, error: PortalError) -> None:
    messages.error(request, error.detail)


def no_store(response: HttpResponse) -> HttpResponse:
    """For a page with a secret: kept by no cache, the browser's own included."""
    response["Cache-Control"] = "no-store"
    return response
