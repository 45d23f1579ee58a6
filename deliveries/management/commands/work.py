"""`manage.py work`: the workers that deliver."""

import sys
from argparse import SUPPRESS
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deliveries.workers.cluster import run_cluster
from deliveries.workers.runner import Limits, Runner, cluster_command


class Command(BaseCommand):
    help = (
        "Runs the workers: a django-q2 cluster that is watched, and started anew if it is "
        "dead, wedged or silent. Ends with 0 on SIGTERM or SIGINT, with 1 if it gave up."
    )
    # The database may still be away: the runner waits for it, and for its migrations.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        limits = Limits()
        parser.add_argument(
            "--grace",
            type=float,
            default=limits.grace_seconds,
            metavar="SECONDS",
            help="from the signal to stop until what is left is killed (default %(default)s)",
        )
        parser.add_argument(
            "--silence",
            type=float,
            default=limits.silence_seconds,
            metavar="SECONDS",
            help="without a heartbeat until workers count as wedged (default %(default)s)",
        )
        parser.add_argument("--cluster", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster"]:
            sys.exit(run_cluster())
        limits = Limits(grace_seconds=options["grace"], silence_seconds=options["silence"])
        sys.exit(Runner(command=cluster_command(), limits=limits).run())
