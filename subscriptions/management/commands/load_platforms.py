"""`manage.py load_platforms`: make the catalogue equal to the platform files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from subscriptions.catalogue.loading import load_platform
from subscriptions.platforms.files import (
    PLATFORMS_DIR,
    PlatformFileError,
    platform_paths,
    read_platform_file,
)


class Command(BaseCommand):
    """Loads all files or none: a fault in one of them changes nothing."""

    help = "Load the platform files: makes or changes platforms, topics and use cases."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--directory",
            type=Path,
            default=PLATFORMS_DIR,
            help="where the NAME.toml files are (default: the ones that come with the portal)",
        )

    def handle(self, *args: object, **options: Any) -> None:
        paths = platform_paths(options["directory"])
        if not paths:
            raise CommandError(f"{options['directory']} has no platform files (NAME.toml)")
        try:
            files = [read_platform_file(path) for path in paths]
            with transaction.atomic():
                changes = [change for file in files for change in load_platform(file)]
        except PlatformFileError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            for change in changes or ["Platforms are up to date."]:
                self.stdout.write(change)
