"""Staff pages: platforms, topics and use cases; those from files are read-only."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model
from django.http import HttpRequest

from subscriptions.models import Platform, Topic, UseCase
from subscriptions.models.platform import Origin
from subscriptions.platforms.files import TOPIC_NAME, find_sample_fault, read_schema
from subscriptions.platforms.rules import SPREAD, PlatformRules
from subscriptions.toml_table import Table, TableError

M = TypeVar("M", bound=Model)
# The platform whose rules a new one starts from.
_TEMPLATE = "standard"


def parse_rules(text: str, *, name: str, title: str) -> PlatformRules:
    """The rules in this JSON. Raises ValidationError naming the key at fault."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ValidationError(f"This is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ValidationError("Give a JSON object with wire, signature, delivery and endpoints.")
    try:
        return PlatformRules.from_dict(values | {"name": name, "title": title})
    except TableError as error:
        raise ValidationError(str(error)) from error


def format_rules(rules_json: str) -> str:
    """The rules as indented JSON, without name and title, which have fields of their own."""
    values = json.loads(rules_json)
    return json.dumps({k: v for k, v in values.items() if k not in ("name", "title")}, indent=2)


class PlatformForm(forms.ModelForm[Platform]):
    rules_json = forms.CharField(
        label="Rules",
        widget=forms.Textarea(attrs={"rows": 34, "cols": 100, "spellcheck": "false"}),
        help_text="wire, signature, delivery and endpoints, as in a platform file, in JSON.",
    )

    class Meta:
        model = Platform
        fields = ["name", "title", "summary", "documentation", "rules_json"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = self.instance if self.instance.pk else None
        source = source or Platform.objects.filter(pk=_TEMPLATE).first()
        if source is not None:
            self.initial["rules_json"] = format_rules(source.rules_json)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text, title = cleaned.get("rules_json"), cleaned.get("title")
        name = cleaned.get("name") or self.instance.pk
        if text and title and name:
            try:
                rules = parse_rules(text, name=name, title=title)
            except ValidationError as error:
                self.add_error("rules_json", error)
            else:
                cleaned["rules_json"] = json.dumps(rules.to_dict())
        return cleaned


def _is_from_file(row: Model | None) -> bool:
    platform = row.platform if isinstance(row, Topic | UseCase) else row
    return isinstance(platform, Platform) and platform.origin == Origin.FILE


class CatalogueAdmin(admin.ModelAdmin[M]):
    """Rows that staff made can be changed.

    Those from a platform's file would be overwritten by it.
    """

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return not _is_from_file(obj) and super().has_change_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        may_change = super().has_change_permission(request)
        return may_change or super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return not _is_from_file(obj) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # That action asks for permission once for all rows, and rows from files cannot be deleted.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "platform":
            kwargs["queryset"] = Platform.objects.filter(origin=Origin.OWN)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Platform)
class PlatformAdmin(CatalogueAdmin[Platform]):
    form = PlatformForm
    list_display = ["title", "name", "origin", "scheme", "max_requests", "topic_count"]
    list_filter = ["origin"]
    search_fields = ["name", "title"]
    readonly_fields = ["origin"]

    def get_readonly_fields(self, request: HttpRequest, obj: Platform | None = None) -> Any:
        # Broadcasters and topics refer to the name.
        return [*super().get_readonly_fields(request, obj), *(["name"] if obj else [])]

    @admin.display(description="signature")
    def scheme(self, platform: Platform) -> str:
        return platform.rules.signature.scheme

    @admin.display(description="attempts at most")
    def max_requests(self, platform: Platform) -> int:
        return platform.rules.max_requests

    @admin.display(description="topics")
    def topic_count(self, platform: Platform) -> int:
        return platform.topics.count()


class TopicForm(forms.ModelForm[Topic]):
    class Meta:
        model = Topic
        fields = [
            "platform",
            "name",
            "group",
            "group_title",
            "position",
            "description",
            "source",
            "aliases",
            "deprecated",
            "sample",
            "schema",
        ]
        help_texts = {"aliases": "A JSON list of other names that are taken for it."}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not re.fullmatch(TOPIC_NAME, name):
            raise ValidationError(f"{name!r} is no topic's name: letters, digits, '.', '_', '-'.")
        return name

    def clean_aliases(self) -> list[str]:
        aliases: list[str] = self.cleaned_data["aliases"]
        are_names = isinstance(aliases, list) and all(
            isinstance(alias, str) and re.fullmatch(TOPIC_NAME, alias) for alias in aliases
        )
        if not are_names:
            raise ValidationError('Give a JSON list of names, as in ["newCustomer"].')
        return aliases

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "platform" in cleaned and "name" in cleaned and "aliases" in cleaned:
            self._check_names(cleaned["platform"], {cleaned["name"], *cleaned["aliases"]})
        if "platform" in cleaned and "sample" in cleaned and "schema" in cleaned:
            try:
                _check_sample(cleaned["sample"], cleaned["schema"], cleaned["platform"].rules)
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned

    def _check_names(self, platform: Platform, names: set[str]) -> None:
        for other in platform.topics.exclude(pk=self.instance.pk):
            taken = names & {other.name, *other.aliases}
            if taken:
                self.add_error("name", f"{taken.pop()!r} stands for the topic {other} already.")


def _check_sample(sample: str, schema: object, rules: PlatformRules) -> None:
    try:
        checked = read_schema(Table({"schema": json.dumps(schema)}), "schema")
        data = json.loads(sample)
    except ValueError as error:
        raise ValidationError(f"Sample or schema cannot be used: {error}.") from error
    if not isinstance(data, dict):
        raise ValidationError("The sample must be a JSON object.")
    fault = find_sample_fault(data, checked)
    if fault:
        raise ValidationError(f"The sample is not valid under the schema: {fault}.")
    fields = dict(rules.body)
    taken = set(fields) & set(data) if SPREAD in fields else set()
    if taken:
        raise ValidationError(f"{taken.pop()!r} is a field of the platform's body already.")


@admin.register(Topic)
class TopicAdmin(CatalogueAdmin[Topic]):
    form = TopicForm
    list_display = ["name", "platform", "group_title", "source", "deprecated"]
    list_filter = ["platform", "source", "deprecated"]
    list_select_related = ["platform"]
    search_fields = ["name", "description"]


@admin.register(UseCase)
class UseCaseAdmin(CatalogueAdmin[UseCase]):
    list_display = ["name", "platform"]
    list_filter = ["platform"]
    list_select_related = ["platform"]
    filter_horizontal = ["topics"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = Topic.objects.filter(platform__origin=Origin.OWN)
        return super().formfield_for_manytomany(db_field, request, **kwargs)
