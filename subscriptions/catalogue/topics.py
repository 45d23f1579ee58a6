"""Topics, found by the names that people and clients use for them."""

from __future__ import annotations

import time

from subscriptions.errors import Refused, did_you_mean
from subscriptions.models.platform import Platform, Topic

# The hint compares an unknown name with all topics; longer ones than a topic can have are cut.
MAX_SHOWN_CHARS = 100


TOPIC_CACHE_SECONDS = 5.0
_names: dict[tuple[str, str], str] = {}
_names_stale_at = 0.0


def resolve_topic_name(platform: Platform, name: str) -> str:
    """The documented name of the topic called `name`; cached, for publishing.

    A new topic is found at once; one that was deleted is still found for TOPIC_CACHE_SECONDS.
    Raises Refused as find_topic does.
    """
    global _names_stale_at
    if time.monotonic() >= _names_stale_at:
        _names.clear()
        _names_stale_at = time.monotonic() + TOPIC_CACHE_SECONDS
    known = _names.get((platform.pk, name))
    if known is None:
        known = _names[platform.pk, name] = find_topic(platform, name).name
    return known


def find_topic(platform: Platform, name: str, *, pointer: str = "/topic") -> Topic:
    """The platform's topic called `name`, or the one that has it as an alias.

    Raises Refused (`unknown_topic`, at `pointer`) with the nearest known name.
    """
    # One indexed look-up finds nearly every topic; aliases and unknown names take the slower way.
    # A name that cannot be printed is none, and may be no valid parameter for PostgreSQL.
    found = name.isprintable() and Topic.objects.filter(platform=platform, name=name).first()
    if found:
        return found
    topics = list(Topic.objects.filter(platform=platform))
    for topic in topics:
        if name in topic.aliases:
            return topic
    known = [word for topic in topics for word in (topic.name, *topic.aliases)]
    shown = name[:MAX_SHOWN_CHARS]
    hint = did_you_mean(shown, known)
    raise Refused(
        f"{platform.title} has no topic {shown!r}{hint or ': see the list of topics.'}",
        code="unknown_topic",
        pointer=pointer,
    )
