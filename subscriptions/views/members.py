"""Team: who is in, who is invited, and what each may do."""

from __future__ import annotations

from smtplib import SMTPException

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from subscriptions.accounts.members import (
    change_role,
    invite,
    list_open_invitations,
    remove_member,
    withdraw_invitation,
)
from subscriptions.errors import PortalError
from subscriptions.models import Broadcaster, Invitation, Member, User
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
)

ROLE_DESCRIPTIONS = (
    (Role.OWNER, "Everything, team and audit log included."),
    (Role.DEVELOPER, "Webhooks, tests, resends and publisher tokens."),
    (Role.VIEWER, "Reads everything but secrets, changes nothing."),
)
# Django's stand-ins for a mail server: the console, a folder, nothing.
_NO_MAIL_SERVER = (
    ".console.EmailBackend",
    ".filebased.EmailBackend",
    ".dummy.EmailBackend",
)


class InvitationForm(PortalForm):
    email = forms.EmailField(label="Email address")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.DEVELOPER)


class RoleForm(PortalForm):
    role = forms.ChoiceField(choices=Role.choices)


def _live_broadcaster(request: PortalRequest) -> Broadcaster:
    """The broadcaster that has the members: a sandbox has those of its live twin."""
    return request.broadcaster.live or request.broadcaster


def _list_url(request: PortalRequest) -> str:
    return reverse("subscriptions:member-list", args=[request.broadcaster.pk])


def _member_or_404(request: PortalRequest, member_id: int) -> Member:
    member = (
        _live_broadcaster(request)
        .members.select_related("user", "broadcaster")
        .filter(pk=member_id)
    )
    if found := member.first():
        return found
    raise Http404("No such member of this broadcaster.")


def _list_page(request: PortalRequest, form: InvitationForm) -> HttpResponse:
    live = _live_broadcaster(request)
    context = {
        "members": live.members.select_related("user").order_by("created_at"),
        "invitations": list_open_invitations(live) if request.role == Role.OWNER else [],
        "form": form,
        "roles": Role.choices,
        "role_descriptions": ROLE_DESCRIPTIONS,
        "new_link": one_time_secrets.pop(request, f"invitation:{live.pk}"),
    }
    status = 422 if form.errors else 200
    return no_store(page(request, "subscriptions/member_list.html", context, status=status))


@broadcaster_page()
def member_list(request: PortalRequest) -> HttpResponse:
    return _list_page(request, InvitationForm())


@broadcaster_page(Role.OWNER)
@require_POST
def member_invite(request: PortalRequest) -> HttpResponse:
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form)
    live = _live_broadcaster(request)
    try:
        invited = invite(
            broadcaster=live,
            email=form.cleaned_data["email"],
            role=form.cleaned_data["role"],
            actor=request.actor,
        )
    except PortalError as error:
        form.refuse(error)
        return _list_page(request, form)
    path = reverse("subscriptions:invitation-accept", args=[invited.token])
    link = f"{settings.WEBHOOKS_PUBLIC_URL}{path}"
    one_time_secrets.store(request, f"invitation:{live.pk}", link)
    _mail_invitation(request, invited.invitation, link)
    return redirect(_list_url(request))


def describe_invitation(invitation: Invitation, inviter: User) -> str:
    """Say who invites to what, in which role."""
    name = f"{inviter.name} ({inviter.email})" if inviter.name else inviter.email
    role = invitation.get_role_display().lower()
    return f"{name} invites you to the webhooks of {invitation.broadcaster.name} as {role}."


def _mail_invitation(request: PortalRequest, invitation: Invitation, link: str) -> None:
    """Mail the link, and say if that failed: it can be handed over by hand too."""
    if settings.EMAIL_BACKEND.endswith(_NO_MAIL_SERVER):
        messages.warning(
            request,
            f"No mail server is set up here, so {invitation.email} gets no email: give them the "
            "link below yourself.",
        )
        return
    context = {"summary": describe_invitation(invitation, request.user), "link": link}
    try:
        send_mail(
            f"Invitation to the webhooks of {invitation.broadcaster.name}",
            render_to_string("subscriptions/email/invitation.txt", context),
            None,
            [invitation.email],
        )
    except (OSError, SMTPException):
        messages.warning(
            request,
            f"The email to {invitation.email} could not be sent: give them the link below yourself.",
        )
    else:
        messages.success(
            request, f"The invitation was handed to the mail server for {invitation.email}."
        )


@broadcaster_page(Role.OWNER)
@require_POST
def member_set_role(request: PortalRequest, member_id: int) -> HttpResponse:
    member = _member_or_404(request, member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
        return redirect(_list_url(request))
    try:
        if change_role(member=member, role=form.cleaned_data["role"], actor=request.actor):
            messages.success(request, f"{member.user} is {Role(member.role).label.lower()} now.")
    except PortalError as error:
        flash_refusal(request, error)
    return redirect(_list_url(request))


@broadcaster_page()
@require_http_methods(["GET", "POST"])
def member_remove(request: PortalRequest, member_id: int) -> HttpResponse:
    """Owners may remove anyone, and everyone may leave. GET asks first."""
    member = _member_or_404(request, member_id)
    leaving = member.user_id == request.user.pk
    if request.role != Role.OWNER and not leaving:
        raise Http404("No such member of this broadcaster.")
    if request.method == "GET":
        return confirm(
            request,
            title=f"Leave {_live_broadcaster(request).name}?"
            if leaving
            else f"Remove {member.user}?",
            text="Their access to the live broadcaster and its sandbox ends at once. What they "
            "made stays."
            if not leaving
            else "Your access to the live broadcaster and its sandbox ends at once.",
            action=request.path,
            button="Leave" if leaving else "Remove",
            danger=True,
            back=_list_url(request),
        )
    try:
        remove_member(member=member, actor=request.actor)
    except PortalError as error:
        flash_refusal(request, error)
        return redirect_back(request, _list_url(request))
    if leaving:
        messages.success(request, f"You have left {_live_broadcaster(request).name}.")
        return redirect("/")
    messages.success(request, f"{member.user} is removed.")
    return redirect_back(request, _list_url(request))


@broadcaster_page(Role.OWNER)
@require_POST
def member_withdraw_invitation(request: PortalRequest, invitation_id: int) -> HttpResponse:
    invitation = _live_broadcaster(request).invitations.filter(pk=invitation_id).first()
    if invitation is None:
        raise Http404("No such invitation of this broadcaster.")
    withdraw_invitation(invitation=invitation, actor=request.actor)
    messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect(_list_url(request))
