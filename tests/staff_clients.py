"""Members of staff, signed in to the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from subscriptions.models import User


def superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


def staff(*permissions: str) -> Client:
    """Create a member of staff with only these permissions, such as `deliveries.view_delivery`."""
    user = User.objects.create_user("staff@example.com", "x", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client = Client()
    client.force_login(user)
    return client


def list_url(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def change_url(model: str, pk: object) -> str:
    return reverse(f"admin:{model}_change", args=[pk])


def act(client: Client, model: str, action: str, *pks: object) -> list[str]:
    """Run an action on these rows; return the messages that it shows."""
    client.cookies.pop("messages", None)
    response = client.post(
        list_url(model), {"action": action, "_selected_action": [str(pk) for pk in pks]}
    )
    return read_messages(response)


def read_messages(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]
