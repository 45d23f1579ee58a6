"""The topics of a platform as forms and pages show them: in groups, and by use case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from subscriptions.models import Topic, UseCase


@dataclass(frozen=True, slots=True)
class TopicChoice:
    topic: Topic
    chosen: bool


@dataclass(frozen=True, slots=True)
class TopicGroup:
    name: str
    title: str
    choices: list[TopicChoice]

    @property
    def chosen_count(self) -> int:
        return sum(choice.chosen for choice in self.choices)


def group_topics(topics: Iterable[Topic], chosen: Iterable[str] = ()) -> list[TopicGroup]:
    """The topics in their groups, which are in the order of their first topics.

    chosen: the names of the topics that are marked as chosen.
    """
    names = set(chosen)
    listed = list(topics)
    order = {group: place for place, group in reversed(list(enumerate(t.group for t in listed)))}
    listed.sort(key=lambda topic: order[topic.group])
    return [
        TopicGroup(group, group_title, [TopicChoice(t, t.name in names) for t in members])
        for (group, group_title), members in groupby(listed, lambda t: (t.group, t.group_title))
    ]


@dataclass(frozen=True, slots=True)
class UseCaseChoice:
    pk: int
    name: str
    description: str
    topics: list[Topic]


def list_use_cases(topics: Iterable[Topic]) -> list[UseCaseChoice]:
    """The use cases of these topics, in the platform's order, each with its topics.

    The topics have to come with their use cases prefetched.
    """
    members: dict[UseCase, list[Topic]] = {}
    for topic in topics:
        for use_case in topic.use_cases.all():
            members.setdefault(use_case, []).append(topic)
    listed = sorted(members, key=lambda use_case: (use_case.position, use_case.name))
    return [UseCaseChoice(u.pk, u.name, u.description, members[u]) for u in listed]
