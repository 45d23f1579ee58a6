"""Account: the user's own settings."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from subscriptions.accounts.passkeys import passkeys_of
from subscriptions.models import User
from subscriptions.portal import PortalRequest, broadcaster_page, page


class AccountForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ["name", "use_utc"]
        labels = {"name": "Your name", "use_utc": "Show times in UTC"}
        help_texts = {"use_utc": "Otherwise they are shown in the time zone of your browser."}
        widgets = {
            "name": forms.TextInput(attrs={"class": "form-control", "autocomplete": "name"}),
            "use_utc": forms.CheckboxInput(attrs={"class": "form-check-input"}),
        }


@broadcaster_page()
def account(request: PortalRequest) -> HttpResponse:
    form = AccountForm(request.POST if request.method == "POST" else None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your settings are saved.")
        return redirect("subscriptions:account", request.broadcaster.pk)
    status = 422 if form.errors else 200
    context = {"form": form, "passkeys": passkeys_of(request.user)}
    return page(request, "subscriptions/account.html", context, status=status)
