"""The path converter for public ids in addresses of the API: `<public_id:event_id>`."""

from __future__ import annotations

from django.urls import register_converter


class PublicId:
    """A public id; with any other text in its place the address is unknown, without a query."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PublicId, "public_id")
