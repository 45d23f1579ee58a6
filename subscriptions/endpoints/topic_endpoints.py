"""The endpoints of each topic as one list of URLs, which is read and replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from subscriptions.audit import Actor
from subscriptions.endpoints.lifecycle import create_endpoint, delete_endpoint, update_endpoint
from subscriptions.endpoints.settings import EndpointSettings, check_endpoint_url
from subscriptions.errors import Refused, SeveralRefused
from subscriptions.models import Broadcaster, Endpoint, Topic
from subscriptions.models.endpoint import ALL_TOPICS


def list_topic_endpoints(broadcaster: Broadcaster) -> list[tuple[Topic, list[Endpoint]]]:
    """The topics that have endpoints, in the catalogue's order, each with them, oldest first."""
    endpoints = list(broadcaster.endpoints.live().prefetch_related("topics").order_by("pk"))
    listed = (
        (topic, [item for item in endpoints if item.all_topics or topic in item.topics.all()])
        for topic in broadcaster.platform.topics.all()
    )
    return [(topic, found) for topic, found in listed if found]


@transaction.atomic
def set_topic_endpoints(
    *, broadcaster: Broadcaster, topic: Topic, urls: Sequence[str], actor: Actor
) -> list[Endpoint]:
    """Make these URLs, and no others, the endpoints of the topic; all of it or nothing.

    An endpoint that has the URL already gets the topic; one that is not in the list loses it, and
    is deleted if it was its last. Raises Refused for an empty list, a URL twice or one that cannot
    be sent to, Conflict at the platform's limit.
    """
    # Locked, so that two lists sent at once are not mixed.
    broadcaster = Broadcaster.objects.lock(broadcaster.pk)
    checked_urls = _check_urls(broadcaster, urls)
    rows = broadcaster.endpoints.live()
    for endpoint in rows.filter(Q(all_topics=True) | Q(topics=topic)).distinct():
        if endpoint.url not in checked_urls:
            _remove_topic(endpoint, topic, actor)
    return [_give_topic(broadcaster, url, topic, actor) for url in checked_urls]


def _check_urls(broadcaster: Broadcaster, urls: Sequence[str]) -> list[str]:
    if not urls:
        raise Refused("A topic needs at least one endpoint: give its URL.", code="required")
    checked: list[str] = []
    faults: list[Refused] = []
    for index, given in enumerate(urls):
        pointer = f"/{index}/url"
        try:
            url = check_endpoint_url(given, broadcaster.rules)
        except Refused as refused:
            faults.append(Refused(refused.detail, code=refused.code, pointer=pointer))
            continue
        if url in checked:
            faults.append(
                Refused(f"{url} is given twice: give it once.", code="duplicate", pointer=pointer)
            )
        checked.append(url)
    if faults:
        raise SeveralRefused(faults)
    return checked


def _remove_topic(endpoint: Endpoint, topic: Topic, actor: Actor) -> None:
    if endpoint.all_topics:
        rest = [item.name for item in endpoint.broadcaster.platform.topics.exclude(pk=topic.pk)]
    else:
        rest = [name for name in endpoint.topic_names if name != topic.name]
    if rest:
        settings = EndpointSettings.from_endpoint(endpoint, topics=rest)
        update_endpoint(endpoint=endpoint, settings=settings, actor=actor)
    else:
        delete_endpoint(endpoint=endpoint, actor=actor)


def _give_topic(broadcaster: Broadcaster, url: str, topic: Topic, actor: Actor) -> Endpoint:
    rows = broadcaster.endpoints.live().filter(url=url)
    endpoint = rows.order_by("pk").first()
    if endpoint is None:
        name = (urlsplit(url).hostname or "Webhook")[:100]
        settings = EndpointSettings(name=name, url=url, topics=[topic.name])
        return create_endpoint(broadcaster=broadcaster, settings=settings, actor=actor).endpoint
    names = endpoint.topic_names
    if names != [ALL_TOPICS] and topic.name not in names:
        settings = EndpointSettings.from_endpoint(endpoint, topics=[*names, topic.name])
        update_endpoint(endpoint=endpoint, settings=settings, actor=actor)
    return endpoint
