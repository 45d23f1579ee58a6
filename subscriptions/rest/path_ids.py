"""Public ids in URLs."""

from __future__ import annotations


class PublicId:
    """Anything else in its place is an unknown address, and never gets near the database."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
