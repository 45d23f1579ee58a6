"""A webhook's signing token: seen by its last four, rotated, revealed, with verifying code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from subscriptions.catalogue.verifying_code import render_code_samples
from subscriptions.endpoints.signing_tokens import (
    end_previous_token,
    reveal_token,
    rotate_token,
)
from subscriptions.errors import PortalError
from subscriptions.models import Endpoint
from subscriptions.models.broadcaster import Role
from subscriptions.portal import (
    PortalForm,
    PortalRequest,
    broadcaster_page,
    confirm,
    flash_refusal,
    no_store,
    one_time_secrets,
    page,
    redirect_back,
    redirect_to,
)
from subscriptions.portal.endpoint_pages import endpoint_head, endpoint_url
from subscriptions.portal.page_parts import ENDPOINT_OLD_TOKEN, ENDPOINT_VERIFYING
from subscriptions.views.endpoints import endpoint_or_404

OVERLAPS = (
    ("86400", "24 hours", "The usual: time to change your receiver."),
    ("604800", "7 days", "For a receiver that is not yours to change."),
    ("3600", "1 hour", "For a change you make right now."),
    ("0", "None: it leaked", "The old token ends at once; requests fail until you change yours."),
)


_TWO_SIGNATURES = (
    "A new token is made and shown once. While the old one stays good, every request carries a "
    "signature by each."
)
_ONE_SIGNATURE = (
    "A new token is made and shown once. The signature header holds one signature: the old token "
    "signs as long as it stays good, then the new one."
)


class RotateTokenForm(PortalForm):
    overlap = forms.ChoiceField(
        label="How long the old token stays good",
        choices=[(value, title) for value, title, _ in OVERLAPS],
        initial="86400",
        widget=forms.RadioSelect,
    )
    token = forms.CharField(
        required=False,
        label="New token",
        help_text="Leave it empty and one is made for you.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "form-control mono"}
        ),
    )

    def __init__(self, *args: Any, endpoint: Endpoint, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        typed = endpoint.broadcaster.rules.signature.takes_typed_token
        if not typed or not endpoint.is_signed:
            del self.fields["token"]

    def chosen_overlap(self) -> timedelta:
        return timedelta(seconds=int(self.cleaned_data["overlap"]))


@broadcaster_page()
def token_page(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """The token by its last four; in full right after it was made, rotated or revealed."""
    endpoint = endpoint_or_404(request, endpoint_id)
    token = one_time_secrets.pop(request, endpoint.public_id)
    signature = endpoint.broadcaster.rules.signature
    context = {
        **endpoint_head(request, endpoint, "token"),
        "token": token,
        "is_signed": endpoint.is_signed,
        "unsigned_text": describe_unsigned(endpoint),
        "can_be_signed": bool(signature.optional),
        "header": signature.header,
        "has_previous": endpoint.has_previous_token(timezone.now()),
        "carries_two": endpoint.can_carry_two_signatures,
        "old_token_parts": ENDPOINT_OLD_TOKEN.collect(request, endpoint),
        "verifying_parts": ENDPOINT_VERIFYING.collect(request, endpoint),
        "samples": render_code_samples(
            endpoint.signature_scheme, header=signature.header, token=token
        ),
    }
    return no_store(page(request, "subscriptions/endpoint_token.html", context))


def describe_unsigned(endpoint: Endpoint) -> str:
    """Why requests to it are not signed, and how that can be changed."""
    signature = endpoint.broadcaster.rules.signature
    chosen = " here, as you have chosen" if signature.scheme != "none" else ""
    text = (
        f"{endpoint.broadcaster.platform.title} has no signature of its own{chosen}, so anyone who "
        "knows the URL can write to it."
    )
    if signature.optional:
        text += (
            " You can have them signed after Standard Webhooks: choose it under Settings, Advanced."
        )
    return text


@broadcaster_page(Role.DEVELOPER)
def rotate(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    if not endpoint.is_signed:
        messages.error(request, f"{endpoint.name} is not signed: choose a signature first.")
        return redirect(endpoint_url(endpoint, "edit"))
    form = RotateTokenForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
    if request.method == "POST" and form.is_valid():
        try:
            rotated = rotate_token(
                endpoint=endpoint,
                actor=request.actor,
                overlap=form.chosen_overlap(),
                token=form.cleaned_data.get("token") or None,
            )
        except PortalError as error:
            form.refuse(error)
        else:
            one_time_secrets.store(request, endpoint.public_id, rotated.token)
            messages.success(request, "The token is rotated. This is the new one.")
            return redirect_to(request, endpoint_url(endpoint, "token"))
    context = {
        "endpoint": endpoint,
        "form": form,
        "overlaps": OVERLAPS,
        "intro": _TWO_SIGNATURES if endpoint.can_carry_two_signatures else _ONE_SIGNATURE,
    }
    status = 422 if form.errors else 200
    # A form that was refused shows the typed token again.
    template = "subscriptions/endpoint_rotate_token.html"
    return no_store(page(request, template, context, status=status))


@broadcaster_page(Role.DEVELOPER)
@require_http_methods(["GET", "POST"])
def end_previous(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return confirm(
            request,
            title=f"End the old token …{endpoint.previous_token_hint} now?",
            text="From the next request on only the new token signs. A receiver that still "
            "verifies with the old one will refuse what it gets.",
            action=endpoint_url(endpoint, "end-previous-token"),
            button="End it now",
            danger=True,
            back=endpoint_url(endpoint, "token"),
        )
    try:
        end_previous_token(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        messages.success(request, "The old token has ended: only the new one signs.")
    return redirect_back(request, endpoint_url(endpoint, "token"))


@broadcaster_page(Role.DEVELOPER)
@require_POST
def reveal(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """Asks for the password again, unless it was given minutes ago."""
    endpoint = endpoint_or_404(request, endpoint_id)
    response: HttpResponse = reauthentication_required(_reveal)(request, endpoint)
    return response


def _reveal(request: PortalRequest, endpoint: Endpoint) -> HttpResponse:
    try:
        token = reveal_token(endpoint=endpoint, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
    else:
        one_time_secrets.store(request, endpoint.public_id, token)
    return redirect(endpoint_url(endpoint, "token"))
