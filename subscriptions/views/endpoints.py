"""Webhooks: the list, one of them, and the form that adds or changes one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from subscriptions.catalogue import group_topics, list_use_cases
from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.lifecycle import create_endpoint, update_endpoint
from subscriptions.endpoints.url_preview import preview_url
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.models.endpoint import EndpointStatus
from subscriptions.portal import one_time_secrets
from subscriptions.portal.access import PortalRequest, broadcaster_page
from subscriptions.portal.responses import no_store, page, redirect_to
from subscriptions.views.endpoint_form import EndpointForm

# More than any customer has by hand; beyond it, search finds the rest.
LIST_LENGTH = 200
_STATUS = {
    EndpointStatus.ACTIVE: Q(active=True, suspended_at=None),
    EndpointStatus.INACTIVE: Q(active=False),
    EndpointStatus.SUSPENDED: Q(active=True, suspended_at__isnull=False),
}


def endpoints_of(request: PortalRequest) -> QuerySet[Endpoint]:
    """The broadcaster's webhooks as lists and pages show them."""
    return (
        Endpoint.objects.for_broadcaster(request.broadcaster)
        .select_related("status_changed_by", "broadcaster__platform")
        .prefetch_related("topics")
    )


def endpoint_or_404(request: PortalRequest, endpoint_id: str) -> Endpoint:
    endpoint = endpoints_of(request).filter(public_id=endpoint_id).first()
    if endpoint is None:
        raise Http404(f"No webhook {endpoint_id} in this broadcaster.")
    return endpoint


def detail_url(endpoint: Endpoint, view: str = "detail") -> str:
    return reverse(
        f"subscriptions:endpoint-{view}", args=[endpoint.broadcaster_id, endpoint.public_id]
    )


def missed_url(endpoint: Endpoint) -> str:
    """Where it is seen, and replayed, what it missed while it was off."""
    return reverse("deliveries:endpoint-missed", args=[endpoint.broadcaster_id, endpoint.public_id])


@broadcaster_page()
def endpoint_list(request: PortalRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    found = endpoints_of(request).defer("description", "headers")
    if query:
        found = found.filter(
            Q(name__icontains=query)
            | Q(url__icontains=query)
            | Q(public_id=query)
            | Q(topics__name__icontains=query)
        ).distinct()
    if status in _STATUS:
        found = found.filter(_STATUS[EndpointStatus(status)])
    total = Endpoint.objects.for_broadcaster(request.broadcaster).count()
    context = {
        "endpoints": list(found[:LIST_LENGTH]),
        "total": total,
        "limit": request.broadcaster.endpoint_limit,
        "list_length": LIST_LENGTH,
        "query": query,
        "status": status,
        "statuses": EndpointStatus.choices,
    }
    return page(
        request,
        "subscriptions/endpoint_list.html",
        context,
        fragment="subscriptions/_endpoint_rows.html",
    )


@broadcaster_page()
def endpoint_detail(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    context = {
        "endpoint": endpoint,
        "signs": endpoint.is_signed,
        "masked_headers": mask_headers(endpoint.headers),
        "tab": "overview",
    }
    return page(request, "subscriptions/endpoint_detail.html", context)


def _form(request: PortalRequest, endpoint: Endpoint | None = None, **initial: Any) -> EndpointForm:
    """Bound to a POST that saves. A preset's button posts too, without JavaScript: what was typed
    is kept, and nothing is judged yet."""
    data = None
    if request.method == "POST" and "use_case" in request.POST:
        initial = {name: request.POST.get(name, "") for name in EndpointForm.base_fields}
        initial |= {"active": "active" in request.POST, "which": "chosen", "topics": []}
    elif request.method == "POST":
        data = request.POST
    return EndpointForm(data, broadcaster=request.broadcaster, endpoint=endpoint, initial=initial)


def _form_page(
    request: PortalRequest, form: EndpointForm, endpoint: Endpoint | None = None
) -> HttpResponse:
    platform = request.broadcaster.platform
    topics = list(platform.topics.prefetch_related("use_cases"))
    use_cases = list_use_cases(topics)
    wanted = request.POST.get("use_case") or request.GET.get("use_case")
    chosen = form.chosen_topics()
    for use_case in use_cases:
        if wanted and str(use_case.pk) == wanted:
            chosen = [topic.name for topic in use_case.topics]
    context: dict[str, Any] = {
        "form": form,
        "endpoint": endpoint,
        "rules": request.broadcaster.rules,
        "groups": group_topics(topics, chosen),
        "use_cases": use_cases,
        "wanted_use_case": wanted,
        "wants_all": form.wants_all() and not wanted,
        "open_advanced": any(
            form[name].errors or form[name].value()
            for name in ("description", "headers", "rate_limit", "timeout_seconds", "signature")
            if name in form.fields
        ),
    }
    # A refused form shows a typed token again.
    return no_store(
        page(
            request,
            "subscriptions/endpoint_form.html",
            context,
            fragment="subscriptions/_endpoint_form.html",
            status=422 if form.is_bound and form.errors else 200,
        )
    )


@broadcaster_page(Role.DEVELOPER)
def endpoint_new(request: PortalRequest) -> HttpResponse:
    form = _form(request, which="chosen", url=request.GET.get("url", ""))
    if form.is_bound and form.is_valid():
        try:
            made = create_endpoint(
                broadcaster=request.broadcaster,
                settings=form.settings(),
                actor=request.actor,
                token=form.cleaned_data.get("token") or None,
            )
        except PortalError as error:
            form.refuse(error)
        else:
            return _made(request, made.endpoint, made.token)
    return _form_page(request, form)


def _made(request: PortalRequest, endpoint: Endpoint, token: str) -> HttpResponse:
    if not token:
        messages.success(request, f"The webhook {endpoint.name} is saved. Send it a test next.")
        return redirect_to(request, detail_url(endpoint))
    messages.success(request, f"The webhook {endpoint.name} is saved. This is its signing token.")
    one_time_secrets.store(request, endpoint.public_id, token)
    return redirect_to(request, detail_url(endpoint, "token"))


@broadcaster_page(Role.DEVELOPER)
def endpoint_edit(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    had_token, was_active = bool(endpoint.token_ciphertext), endpoint.active
    form = _form(request, endpoint)
    if form.is_bound and form.is_valid():
        try:
            update_endpoint(endpoint=endpoint, settings=form.settings(), actor=request.actor)
        except PortalError as error:
            endpoint = endpoint_or_404(request, endpoint_id)
            form.refuse(error)
        else:
            messages.success(request, "The settings are saved, and hold from the next request on.")
            if endpoint.token_ciphertext and not had_token:
                messages.info(request, "Requests are signed now. Reveal the token to verify them.")
                return redirect_to(request, detail_url(endpoint, "token"))
            if endpoint.active and not was_active:
                return redirect_to(request, f"{missed_url(endpoint)}?after=start")
            return redirect_to(request, detail_url(endpoint))
    return _form_page(request, form, endpoint)


@broadcaster_page(Role.DEVELOPER)
def check_url(request: PortalRequest) -> HttpResponse:
    """What saving this URL would say, and what is behind its host name now."""
    if not request.htmx:
        return redirect("subscriptions:endpoint-list", request.broadcaster.pk)
    url = request.GET.get("url", "").strip()
    finding = preview_url(url, request.broadcaster.rules) if url else None
    return page(request, "subscriptions/_url_finding.html", {"finding": finding})
