"""Fields that take a value only as its own JSON type, and serializers that know their fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from subscriptions.errors import MAX_FAULTS, did_you_mean
from subscriptions.rest.times import EXAMPLE, iso_ms, parse_time

# PostgreSQL's integer; the verbs have narrower ranges of their own.
MAX_INTEGER = 2**31 - 1


class Text(serializers.CharField):
    """A string; numbers are not taken for one."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumber(serializers.IntegerField):
    """An integer; a number in a string, a fraction or `true` is not taken for one."""

    default_error_messages = {"invalid": "A whole number is needed."}

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"min_value": -MAX_INTEGER, "max_value": MAX_INTEGER, **options},
        )

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """`true` or `false`; no string or number is taken for one."""

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field(OpenApiTypes.DATETIME)
class Time(serializers.Field[datetime, str, str, Any]):
    """A time in UTC with milliseconds and Z."""

    default_error_messages = {"invalid": f"A time with its zone is needed: {EXAMPLE}."}

    def to_internal_value(self, data: object) -> datetime:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return parse_time(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="invalid_time") from None

    def to_representation(self, value: datetime) -> str:
        return iso_ms(value)


class Body(serializers.Serializer[Any]):
    """A JSON object. `data_`, `errors_` and `source_` are its fields `data`, `errors` and `source`,
    whose own names are attributes of every serializer."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name.removesuffix("_"): field for name, field in super().get_fields().items()}


class Input(Body):
    """What a client sends: an object with the fields named here and no others."""

    # Fields that responses have and requests cannot set.
    read_only_names: frozenset[str] = frozenset()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        writable = self._writable
        extra = (name for name in data if name not in writable) if isinstance(data, Mapping) else ()
        unknown = {
            str(name): [ErrorDetail(self._explain(str(name)), code=self._code(name))]
            for name in islice(extra, MAX_FAULTS)
        }
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            faults = cast("dict[str, Any]", error.detail)  # a serializer's are by field name
            raise serializers.ValidationError(faults | unknown) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    @property
    def _writable(self) -> set[str]:
        return {name for name, field in self.fields.items() if not field.read_only}

    def _code(self, name: object) -> str:
        return "read_only" if name in self.read_only_names else "unknown_field"

    def _explain(self, name: str) -> str:
        if name in self.read_only_names:
            return f"The field {name} cannot be set: leave it out."
        hint = did_you_mean(name[:60], self._writable) or ": leave it out"
        return f"There is no field {name[:60]!r} here{hint if hint.endswith('?') else hint + '.'}"


class Output(Body):
    """What the API answers with."""
