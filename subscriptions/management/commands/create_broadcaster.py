"""`manage.py create_broadcaster NAME --platform PLATFORM [--owner EMAIL] [--json]`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from subscriptions.accounts import CreatedBroadcaster, create_broadcaster
from subscriptions.audit import COMMAND_LINE
from subscriptions.errors import PortalError
from subscriptions.models import User


class Command(BaseCommand):
    help = "Make a broadcaster with its sandbox; shows a publisher token of each, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The customer's name.")
        parser.add_argument("--platform", required=True, help="For example standard or clawget.")
        parser.add_argument("--owner", metavar="EMAIL", help="Owner; made if there is none yet.")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="Read a new owner's password from the first line of standard input.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object only.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["password_stdin"] and not options["owner"]:
            raise CommandError("--password-stdin is the password of an owner: give --owner EMAIL.")
        try:
            with transaction.atomic():
                owner = self._find_or_create_owner(options["owner"], options["password_stdin"])
                created = create_broadcaster(
                    name=options["name"],
                    platform=options["platform"],
                    owner=owner,
                    actor=COMMAND_LINE,
                )
        except PortalError as error:
            raise CommandError(error.detail) from error
        show = self._show_json if options["json"] else self._show_text
        show(created)

    def _find_or_create_owner(self, email: str | None, password_stdin: bool) -> User | None:
        if not email:
            return None
        found = User.objects.filter(email__iexact=email).first()
        if found is not None:
            if password_stdin:
                raise CommandError(f"{email} has an account already: leave --password-stdin out.")
            return found
        password = self._read_password() if password_stdin else None
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email!r} is not an email address.") from error
        user = User.objects.create_user(email, password)
        # Not to standard output, which a program may be reading.
        self.stderr.write(
            f"Made an account for {user.email}"
            + (
                "."
                if password
                else f", without a password yet: set one with `manage.py changepassword {email}`."
            )
        )
        return user

    def _read_password(self) -> str:
        password = sys.stdin.readline().rstrip("\r\n")
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        return password

    def _show_json(self, created: CreatedBroadcaster) -> None:
        shown = {
            "id": created.broadcaster.pk,
            "name": created.broadcaster.name,
            "platform": created.broadcaster.platform_id,
            "token": created.token,
            "sandbox": {"id": created.sandbox.pk, "token": created.sandbox_token},
        }
        self.stdout.write(json.dumps(shown, ensure_ascii=False))

    def _show_text(self, created: CreatedBroadcaster) -> None:
        live, sandbox = created.broadcaster, created.sandbox
        self.stdout.write(
            f"{live.name} on {live.platform.title}\n"
            f"  live     id {live.pk}   publisher token {created.token}\n"
            f"  sandbox  id {sandbox.pk}   publisher token {created.sandbox_token}\n"
            "Keep the tokens now: they are not shown again."
        )
