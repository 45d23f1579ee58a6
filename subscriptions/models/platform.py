"""Platforms and their catalogue: topics and use cases."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.db import models

from subscriptions.platforms.rules import PlatformRules


class Origin(models.TextChoices):
    FILE = "file", "File"  # kept in step with a platform file by load_platforms; read-only
    OWN = "own", "Own"  # created by staff on their pages


class Source(models.TextChoices):
    SEED = "seed", "Documented"  # in the platform's own webhook page
    DOC = "doc", "Documented elsewhere"  # in other documentation of the platform
    PROP = "prop", "Undocumented sample"  # in no document, or with a sample that is proposed here


@lru_cache(maxsize=64)
def _parse_rules(rules_json: str) -> PlatformRules:
    return PlatformRules.from_dict(json.loads(rules_json))


class Platform(models.Model):
    """A product whose events are sent: wire format, signature, retry schedule, limits."""

    name = models.SlugField(primary_key=True, max_length=40)
    title = models.CharField(max_length=80)
    summary = models.TextField(blank=True)
    documentation = models.TextField(blank=True)
    rules_json = models.TextField(help_text="The non-topic part of a platform file, as JSON.")
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.OWN)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def rules(self) -> PlatformRules:
        """The rules; each process parses the same text once."""
        return _parse_rules(self.rules_json)


class Topic(models.Model):
    """A kind of event that a platform can send."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="topics")
    name = models.CharField(max_length=100)
    group = models.CharField(max_length=60)
    group_title = models.CharField(max_length=80)
    position = models.PositiveIntegerField(default=0)
    description = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.SEED)
    aliases = models.JSONField(default=list, blank=True)
    deprecated = models.BooleanField(default=False)
    sample = models.TextField(help_text="JSON of a valid `data` object.")
    schema = models.JSONField(default=dict, blank=True, help_text="JSON Schema of `data`.")

    class Meta:
        ordering = ["platform", "position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["platform", "name"], name="topic_name_per_platform")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sample_data(self) -> dict[str, Any]:
        """The sample as a value: a valid `data` object of an event."""
        data: dict[str, Any] = json.loads(self.sample)
        return data


class UseCase(models.Model):
    """A purpose that platform documents name, with the topics it needs: a one-click preset."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="use_cases")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0)
    topics = models.ManyToManyField(Topic, related_name="use_cases")

    class Meta:
        ordering = ["platform", "position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["platform", "name"], name="use_case_name_per_platform")
        ]

    def __str__(self) -> str:
        return self.name
