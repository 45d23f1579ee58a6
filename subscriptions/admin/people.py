"""Staff pages: users, members, invitations, second factors."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from subscriptions.accounts.members import change_role, remove_member, withdraw_invitation
from subscriptions.admin.base import NoDeleteAdmin, ReadOnlyAdmin, act_on_each
from subscriptions.audit import record_for_user
from subscriptions.errors import Conflict
from subscriptions.models import Invitation, Member, User
from subscriptions.models.broadcaster import Role
from subscriptions.portal import actor_of


class NewUserForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email",)
        field_classes: dict[str, type[forms.Field]] = {}

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(f"{email} has an account already.")
        return email


class ChangedUserForm(UserChangeForm[User]):
    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, type[forms.Field]] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    form = ChangedUserForm
    add_form = NewUserForm
    ordering = ["email"]
    list_display = ["email", "name", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["email", "name"]
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("email", "name", "use_utc", "password")}),
        (
            "Staff",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (None, {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # Otherwise anyone who may change users could give themselves every permission,
        rights = ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *(() if request.user.is_superuser else rights))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # or sign in as a superuser after setting that one's password.
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Record what staff changed in the account.

        Django calls it for a password that they set, too.
        """
        fields = [name for part in message for name in part.get("changed", {}).get("fields", ())]
        record_for_user(
            user=obj,
            actor=actor_of(request),
            action="account.change_by_staff",
            after={"fields": fields},
        )
        return super().log_change(request, obj, message)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # The audit log names its users: an account is switched off, not deleted.
        return False


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin[Member]):
    list_display = ["user", "broadcaster", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "broadcaster"]
    search_fields = ["user__email", "broadcaster__name"]
    show_full_result_count = False
    actions = ["make_owner", "make_developer", "make_viewer", "remove"]

    @admin.action(description="Make owner", permissions=["operate"])
    def make_owner(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._change_role(request, queryset, Role.OWNER)

    @admin.action(description="Make developer", permissions=["operate"])
    def make_developer(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._change_role(request, queryset, Role.DEVELOPER)

    @admin.action(description="Make viewer", permissions=["operate"])
    def make_viewer(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self._change_role(request, queryset, Role.VIEWER)

    def _change_role(self, request: HttpRequest, queryset: QuerySet[Member], role: Role) -> None:
        actor = actor_of(request)
        act_on_each(
            request,
            queryset.select_related("user", "broadcaster"),
            lambda member: change_role(member=member, role=role, actor=actor),
            f"made {role.label.lower()}",
        )

    @admin.action(description="Remove from the broadcaster", permissions=["operate"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        actor = actor_of(request)
        act_on_each(
            request,
            queryset.select_related("user", "broadcaster"),
            lambda member: remove_member(member=member, actor=actor),
            "removed",
        )


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    list_display = ["email", "broadcaster", "role", "invited_by", "expires_at", "accepted_at"]
    list_select_related = ["broadcaster", "invited_by"]
    search_fields = ["email", "broadcaster__name"]
    show_full_result_count = False
    exclude = ["digest"]
    actions = ["withdraw"]

    @admin.action(description="Withdraw: the link opens nothing more", permissions=["operate"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        actor = actor_of(request)

        def withdraw(invitation: Invitation) -> None:
            if invitation.accepted_at is not None:
                raise Conflict("An accepted invitation is a membership by now.", code="accepted")
            withdraw_invitation(invitation=invitation, actor=actor)

        act_on_each(request, queryset.select_related("broadcaster"), withdraw, "withdrawn")


# allauth's page of authenticators shows the secrets that one-time codes are made from. Its page of
# email addresses would let staff give an account an address of their own, and so take it over.
admin.site.unregister(Authenticator)
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """For superusers: others could give their own group every permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Authenticator)
class AuthenticatorAdmin(NoDeleteAdmin[Authenticator]):
    """Second factors: staff delete one that its user has lost, so that they can sign in again."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]
    readonly_fields = ["user", "type", "created_at", "last_used_at"]

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        user, kind = obj.user, str(obj.type)
        super().delete_model(request, obj)
        record_for_user(
            user=user,
            actor=actor_of(request),
            action="account.remove_second_factor",
            after={"kind": kind},
        )

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for authenticator in queryset.select_related("user"):
            self.delete_model(request, authenticator)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
