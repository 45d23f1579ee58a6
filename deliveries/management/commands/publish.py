"""`manage.py publish --broadcaster ID TOPIC [--data JSON|-] [--id ID]`"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deliveries.payload.canonical_json import JSONError, parse_json
from deliveries.publishing import Published, publish
from subscriptions.catalogue import find_topic
from subscriptions.errors import PortalError
from subscriptions.models import Broadcaster


class Command(BaseCommand):
    help = "Publish an event: by default with the topic's sample as its data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topic", help="A topic of the broadcaster's platform.")
        parser.add_argument("--broadcaster", type=int, required=True, metavar="ID")
        parser.add_argument("--data", metavar="JSON", help="The data; - reads standard input.")
        parser.add_argument("--id", metavar="ID", help="The event's id, if you choose it.")

    def handle(self, *args: Any, **options: Any) -> None:
        broadcaster = (
            Broadcaster.objects.select_related("platform").filter(pk=options["broadcaster"]).first()
        )
        if broadcaster is None:
            raise CommandError(f"There is no broadcaster {options['broadcaster']}.")
        try:
            published = publish(
                broadcaster=broadcaster,
                topic=options["topic"],
                data=_data(broadcaster, options["topic"], options["data"]),
                event_id=options["id"],
            )
        except JSONError as error:
            raise CommandError(f"The data cannot be used: {error.detail}") from error
        except PortalError as error:
            place = f" (at {error.pointer})" if error.pointer else ""
            raise CommandError(f"{error.detail}{place}") from error
        self._show(published)

    def _show(self, published: Published) -> None:
        event = published.event
        if published.duplicate:
            self.stdout.write(f"{event.event_id} was published before: nothing new is sent.")
            return
        self.stdout.write(f"{event.event_id} published: {event.topic}")
        for delivery_id, endpoint_id in published.deliveries:
            self.stdout.write(f"  {delivery_id} to {endpoint_id}")
        if not published.deliveries:
            self.stdout.write("  No webhook wants this topic: nothing is sent.")


def _data(broadcaster: Broadcaster, topic: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return find_topic(broadcaster.platform, topic).sample_data
    value = parse_json(sys.stdin.buffer.read() if text == "-" else text)
    if not isinstance(value, dict):
        raise CommandError(f"The data is {type(value).__name__}: give a JSON object.")
    return value
