"""Adding a webhook, and changing its settings: one form, that judges the URL as it is typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from subscriptions.catalogue import group_topics, list_use_cases
from subscriptions.endpoints.header_rules import mask_headers
from subscriptions.endpoints.lifecycle import create_endpoint, update_endpoint
from subscriptions.endpoints.settings import MAX_ENDPOINT_TIMEOUT_SECONDS, EndpointSettings
from subscriptions.endpoints.url_preview import preview_url
from subscriptions.errors import PortalError
from subscriptions.models import Broadcaster, Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.models.endpoint import ALL_TOPICS
from subscriptions.portal import (
    PortalForm,
    PortalRequest,
    broadcaster_page,
    no_store,
    one_time_secrets,
    page,
    redirect_to,
)
from subscriptions.portal.endpoint_pages import endpoint_head, endpoint_url, started_url
from subscriptions.views.endpoints import endpoint_or_404

_MASK = "••••"
_INACTIVE_NEW_HELP = "Unchecked, nothing is sent to it."
_INACTIVE_HELP = (
    "Unchecked, nothing is sent to it, and deliveries that still wait for it are cancelled."
)


def _read_headers(text: str, saved: list[list[str]]) -> list[tuple[str, str]]:
    """Read lines of `Name: value`. A masked value stands for the saved one of that header."""
    saved_values = {name.lower(): value for name, value in saved}
    headers = []
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        if not colon:
            raise forms.ValidationError(f"{line[:40]!r} is no header: write it as Name: value.")
        value = value.strip()
        if value == _MASK:
            value = saved_values.get(name.strip().lower(), value)
        headers.append((name.strip(), value))
    return headers


class EndpointForm(PortalForm):
    """A webhook's settings. Topics are names, which create_endpoint and update_endpoint check."""

    name = forms.CharField(max_length=100, help_text="To tell your webhooks apart.")
    url = forms.CharField(
        label="URL",
        max_length=2048,
        help_text="Where requests are sent, by POST.",
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "https://example.com/webhooks",
                "class": "form-control mono",
            }
        ),
    )
    which = forms.ChoiceField(choices=[("chosen", "Chosen topics"), ("all", "All topics")])
    topics = forms.Field(required=False, widget=forms.MultipleHiddenInput)
    token = forms.CharField(
        required=False,
        label="Token",
        help_text="Signs every request. Leave it empty and one is made for you.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "form-control mono"}
        ),
    )
    active = forms.BooleanField(required=False, initial=True)
    description = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    headers = forms.CharField(
        required=False,
        label="Custom headers",
        help_text="One a line, as Name: value. Sent with every request; secret values are hidden "
        "once saved.",
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "class": "form-control mono"}
        ),
    )
    rate_limit = forms.IntegerField(
        required=False,
        label="Rate limit",
        min_value=1,
        help_text="Requests per second at most. Empty: no limit.",
    )
    timeout_seconds = forms.IntegerField(
        required=False, label="Timeout", min_value=1, max_value=MAX_ENDPOINT_TIMEOUT_SECONDS
    )
    signature = forms.ChoiceField(required=False)

    def __init__(
        self,
        *args: Any,
        broadcaster: Broadcaster,
        endpoint: Endpoint | None = None,
        **kwargs: Any,
    ) -> None:
        self.endpoint = endpoint
        if endpoint is not None:
            kwargs["initial"] = _initial_values(endpoint) | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        rules = broadcaster.rules
        if rules.https_required:
            self.fields["url"].help_text += " It must be https://."
        timeout = self.fields["timeout_seconds"]
        timeout.help_text = (
            f"Seconds a request may take, 1 to {MAX_ENDPOINT_TIMEOUT_SECONDS}. "
            f"Empty: {rules.timeout_seconds:g}, as {rules.title} has it."
        )
        self._offer_signatures(broadcaster)
        if endpoint is not None or not rules.signature.takes_typed_token:
            del self.fields["token"]

    def _offer_signatures(self, broadcaster: Broadcaster) -> None:
        rules = broadcaster.rules.signature
        default = "none" if rules.scheme == "none" else rules.header or "Standard Webhooks"
        labels = {"none": "None", "standard": "Standard Webhooks (webhook-signature)"}
        choices = [("", f"The platform's own: {default}")]
        choices += [(scheme, labels[scheme]) for scheme in rules.optional]
        if len(choices) == 1:
            del self.fields["signature"]
            return
        field = self.fields["signature"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def clean_headers(self) -> list[tuple[str, str]]:
        saved = self.endpoint.headers if self.endpoint else []
        return _read_headers(self.cleaned_data["headers"], saved)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("which") == "chosen" and not self.chosen_topics():
            self.add_error("topics", "Choose at least one topic, or all of them.")
        return data

    def chosen_topics(self) -> list[str]:
        """The names of the topics that are chosen in the form, saved or not."""
        if self.is_bound:
            getlist = getattr(self.data, "getlist", None)
            return list(getlist("topics")) if getlist else list(self.data.get("topics", ()))
        return list(self.initial.get("topics", ()))

    def wants_all(self) -> bool:
        return bool(self["which"].value() == "all")

    def settings(self) -> EndpointSettings:
        """What create_endpoint and update_endpoint take; the form must be valid."""
        data = self.cleaned_data
        return EndpointSettings(
            name=data["name"],
            url=data["url"],
            topics=[ALL_TOPICS] if data["which"] == "all" else self.chosen_topics(),
            description=data["description"],
            active=data["active"],
            headers=data["headers"],
            rate_limit=data["rate_limit"],
            timeout_seconds=data["timeout_seconds"],
            signature=data.get("signature") or None,
        )


def _initial_values(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "which": "all" if endpoint.all_topics else "chosen",
        "topics": [] if endpoint.all_topics else endpoint.topic_names,
        "active": endpoint.active,
        "description": endpoint.description,
        "headers": "\n".join(f"{name}: {value}" for name, value in mask_headers(endpoint.headers)),
        "rate_limit": endpoint.rate_limit,
        "timeout_seconds": endpoint.timeout_seconds,
        "signature": endpoint.signature or "",
    }


@broadcaster_page(Role.DEVELOPER)
def endpoint_new(request: PortalRequest) -> HttpResponse:
    form = _build_form(request, which="chosen", url=request.GET.get("url", ""))
    if form.is_bound and form.is_valid():
        try:
            created = create_endpoint(
                broadcaster=request.broadcaster,
                settings=form.settings(),
                actor=request.actor,
                token=form.cleaned_data.get("token") or None,
            )
        except PortalError as error:
            form.refuse(error)
        else:
            return _show_created(request, created.endpoint, created.token)
    return _form_page(request, form)


def _show_created(request: PortalRequest, endpoint: Endpoint, token: str) -> HttpResponse:
    if not token:
        messages.success(request, f"The webhook {endpoint.name} is saved. Send it a test next.")
        return redirect_to(request, endpoint_url(endpoint))
    messages.success(request, f"The webhook {endpoint.name} is saved. This is its signing token.")
    one_time_secrets.store(request, endpoint.public_id, token)
    return redirect_to(request, endpoint_url(endpoint, "token"))


@broadcaster_page(Role.DEVELOPER)
def endpoint_edit(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    had_token, was_active = bool(endpoint.token_ciphertext), endpoint.active
    form = _build_form(request, endpoint)
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
                return redirect_to(request, endpoint_url(endpoint, "token"))
            if endpoint.active and not was_active:
                return redirect_to(request, started_url(endpoint))
            return redirect_to(request, endpoint_url(endpoint))
    return _form_page(request, form, endpoint)


@broadcaster_page(Role.DEVELOPER)
def check_url(request: PortalRequest) -> HttpResponse:
    """What saving this URL would say, and what its host name leads to now."""
    if not request.htmx:
        return redirect("subscriptions:endpoint-list", request.broadcaster.pk)
    url = request.GET.get("url", "").strip()
    finding = preview_url(url, request.broadcaster.rules) if url else None
    return page(request, "subscriptions/_url_finding.html", {"finding": finding})


def _build_form(
    request: PortalRequest, endpoint: Endpoint | None = None, **initial: Any
) -> EndpointForm:
    """The form, bound if it was posted to be saved.

    Without JavaScript the button of a use case posts the form too: what was typed is kept, and
    nothing is judged yet.
    """
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
    topics = list(request.broadcaster.platform.topics.prefetch_related("use_cases"))
    use_cases = list_use_cases(topics)
    use_case_id = request.POST.get("use_case") or request.GET.get("use_case")
    chosen = form.chosen_topics()
    for use_case in use_cases:
        if use_case_id and str(use_case.pk) == use_case_id:
            chosen = [topic.name for topic in use_case.topics]
    context: dict[str, Any] = {
        "form": form,
        "endpoint": endpoint,
        "rules": request.broadcaster.rules,
        "groups": group_topics(topics, chosen),
        "use_cases": use_cases,
        "chosen_use_case": use_case_id,
        "wants_all": form.wants_all() and not use_case_id,
        "inactive_help": _INACTIVE_HELP if endpoint else _INACTIVE_NEW_HELP,
        "open_advanced": _shows_advanced(form),
        "cancel_url": endpoint_url(endpoint)
        if endpoint
        else reverse("subscriptions:endpoint-list", args=[request.broadcaster.pk]),
        **(endpoint_head(request, endpoint, "settings") if endpoint else {}),
    }
    # A form that was refused shows the typed token again.
    return no_store(
        page(
            request,
            "subscriptions/endpoint_form.html",
            context,
            fragment="subscriptions/_endpoint_form.html",
            status=422 if form.is_bound and form.errors else 200,
        )
    )


def _shows_advanced(form: EndpointForm) -> bool:
    """Whether the advanced settings are open: one of them has a value or is refused."""
    advanced = ("description", "headers", "rate_limit", "timeout_seconds", "signature")
    return any(form[name].errors or form[name].value() for name in advanced if name in form.fields)
