"""Public ids in URLs."""

from __future__ import annotations


class PublicId:
    """A public id; with any other text in its place the address is unknown, without a query."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
