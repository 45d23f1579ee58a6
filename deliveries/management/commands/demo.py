"""`manage.py demo`: something to look at on a new installation; run again, it changes nothing.

With --deliveries it adds so many deliveries of the last 30 days, each time that it is run.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from deliveries.demo import DAYS, LOGIN_FILE_NAME, Demo, add_history, ensure_demo, first_topic
from subscriptions.errors import PortalError
from subscriptions.models import Platform

_PROGRESS_SECONDS = 5
_MAX_DELIVERIES = 100_000_000


def _parse_number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MAX_DELIVERIES:
        raise argparse.ArgumentTypeError(f"{number} is out of range: 1 to {_MAX_DELIVERIES:,}.")
    return number


class Command(BaseCommand):
    help = "Make a broadcaster on every platform, with webhooks that point at the request bin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--deliveries",
            type=_parse_number,
            default=0,
            metavar="N",
            help=f"add N finished deliveries of the last {DAYS} days (100000: half a minute)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WEBHOOKS_PRODUCTION:
            raise CommandError(
                "The demonstration has a staff login whose password lies in a file: it is not "
                "made where WEBHOOKS_PRODUCTION is set."
            )
        if not settings.WEBHOOKS_REQUEST_BIN:
            raise CommandError(
                "The demonstration sends to the request bin: switch it on with "
                "WEBHOOKS_REQUEST_BIN=1."
            )
        if not Platform.objects.exists():
            raise CommandError("No platforms are loaded: run `manage.py load_platforms` first.")
        try:
            # A portal that runs meanwhile, on another port, keeps its webhooks.
            demo = ensure_demo(settings.WEBHOOKS_DATA_DIR, follow=not options["deliveries"])
            if options["deliveries"]:
                self._add_history(demo, options["deliveries"])
        except PortalError as error:
            raise CommandError(error.detail) from error
        if demo.created or not options["deliveries"]:
            self._show(demo)

    def _add_history(self, demo: Demo, deliveries: int) -> None:
        begin = reported_at = time.monotonic()

        def progress(made: int) -> None:
            nonlocal reported_at
            seconds = time.monotonic() - begin
            if made < deliveries and time.monotonic() < reported_at + _PROGRESS_SECONDS:
                return
            reported_at = time.monotonic()
            self.stdout.write(
                f"  {made:>{len(f'{deliveries:,}')},} of {deliveries:,} deliveries "
                f"({100 * made // deliveries} %), {seconds:.0f} s"
            )
            self.stdout.flush()

        add_history(
            demo.broadcasters,
            deliveries=deliveries,
            now=timezone.now(),
            rng=random.SystemRandom(),
            progress=progress,
        )

    def _show(self, demo: Demo) -> None:
        url = settings.WEBHOOKS_PUBLIC_URL
        password = demo.password or "the one that you set"
        first = demo.broadcasters[0]
        set_here = [name for name in ("DATABASE_URL", "WEBHOOKS_DATA_DIR") if name in os.environ]
        given = f"With the same {' and '.join(set_here)}: " if set_here else ""
        platforms = ", ".join(broadcaster.platform.title for broadcaster in demo.broadcasters)
        self.stdout.write(
            f"\n  Webhooks Portal   {url}/\n"
            f"  Email             {demo.email}\n"
            f"  Password          {password}\n\n"
            f"  A demo broadcaster each on: {platforms}\n\n"
            f"  1. Sign in: Event logs shows a delivery that arrived and one that is retried.\n"
            f"  2. Webhooks, Test: send one; see it at {url}/b/{first.pk}/request-bin/\n"
            f"  3. {given}.venv/bin/python manage.py publish --broadcaster {first.pk} "
            f"{first_topic(first)}\n\n"
        )
        if demo.password:
            self.stdout.write(
                f"  (The password is kept in {settings.WEBHOOKS_DATA_DIR / LOGIN_FILE_NAME}; this user "
                f"is staff too: {url}/admin/)\n"
            )
