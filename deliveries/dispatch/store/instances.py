"""Model instances made at the price of their attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)


def build(model: type[Row], *, related: Mapping[str, models.Model], **columns: Any) -> Row:
    """Make a new instance from the values of all its columns, and the objects that some refer to.

    `model(...)` asks each field about its value; this makes the instance as unpickling does.
    """
    instance = model.__new__(model)
    instance.__dict__.update(columns, _state=ModelState())
    instance._state.fields_cache.update(related)
    return instance
