"""`manage.py rotate_keys`: re-encrypt all secrets under the first key of WEBHOOKS_SECRET_KEYS."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from subscriptions.encryption import WrongKey
from subscriptions.encryption.rotation import Rotation, count_secrets, rotate_in_batches

_LINE_EVERY_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Re-encrypt all secrets under the first key of WEBHOOKS_SECRET_KEYS, so that the other "
        "keys can go. First put the new key in front, keep the old ones, and restart web and "
        "workers; they may go on running meanwhile. It can be interrupted and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            totals = self._rotate(count_secrets())
        except WrongKey as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{totals.rotated:,} re-encrypted, {totals.unchanged:,} were under the first key, "
            f"{len(totals.unreadable):,} cannot be read."
        )
        if totals.unreadable:
            for name in totals.unreadable:
                self.stderr.write(f"  no key opens the {name}")
            raise CommandError(
                f"{len(totals.unreadable):,} secrets open with no key of WEBHOOKS_SECRET_KEYS, and "
                "nothing is sent that they would sign: put the key they were encrypted with back "
                "into the ring and run this again, or let the customers rotate these tokens."
            )
        self.stdout.write("Every secret is under the first key: the other keys can go.")

    def _rotate(self, total: int) -> Rotation:
        return self._with_bar(total) if self.stdout.isatty() else self._with_lines(total)

    def _with_bar(self, total: int) -> Rotation:
        totals = Rotation()
        columns = (TextColumn("Secrets"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as progress:
            task = progress.add_task("secrets", total=total)
            for totals in rotate_in_batches():
                progress.update(task, completed=totals.seen)
        return totals

    def _with_lines(self, total: int) -> Rotation:
        totals, due = Rotation(), time.monotonic() + _LINE_EVERY_SECONDS
        for totals in rotate_in_batches():
            if time.monotonic() >= due:
                due = time.monotonic() + _LINE_EVERY_SECONDS
                self.stdout.write(f"{totals.seen:,} of {total:,}")
        return totals
