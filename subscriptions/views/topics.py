"""The platform's topics, as documentation."""

from __future__ import annotations

from django.db.models import Q
from django.http import Http404, HttpResponse

from subscriptions.catalogue import group_topics, list_use_cases
from subscriptions.catalogue.sample_request import build_sample_request
from subscriptions.catalogue.verifying_code import render_code_samples
from subscriptions.platforms.schema_fields import list_schema_fields
from subscriptions.portal import PortalRequest, broadcaster_page, page
from subscriptions.portal.page_parts import TOPIC_FACTS

_PROPOSED_SAMPLE = "Undocumented: the fields are a proposal of this portal."
_DOCUMENTED_SAMPLE = "Indented here; on the wire it is compact."


@broadcaster_page()
def topic_list(request: PortalRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    platform = request.broadcaster.platform
    topics = platform.topics.prefetch_related("use_cases")
    if query:
        topics = topics.filter(
            Q(name__icontains=query)
            | Q(description__icontains=query)
            | Q(group_title__icontains=query)
        )
    context = {
        "groups": group_topics(topics),
        "use_cases": [] if query else list_use_cases(topics),
        "query": query,
    }
    return page(
        request,
        "subscriptions/topic_list.html",
        context,
        fragment="subscriptions/_topic_groups.html",
    )


@broadcaster_page()
def topic_detail(request: PortalRequest, name: str) -> HttpResponse:
    platform = request.broadcaster.platform
    topic = platform.topics.prefetch_related("use_cases").filter(name=name).first()
    if topic is None:
        raise Http404(f"{platform.title} has no topic {name}.")
    rules = request.broadcaster.rules
    context = {
        "topic": topic,
        "sample_note": _PROPOSED_SAMPLE if topic.source == "prop" else _DOCUMENTED_SAMPLE,
        "facts": TOPIC_FACTS.collect(request, topic),
        "fields": list_schema_fields(topic.schema),
        "sample": build_sample_request(request.broadcaster, topic),
        "samples": render_code_samples(rules.signature.scheme, header=rules.signature.header),
        "endpoints": request.broadcaster.endpoints.live()
        .filter(Q(all_topics=True) | Q(topics=topic))
        .distinct(),
    }
    return page(request, "subscriptions/topic_detail.html", context)
