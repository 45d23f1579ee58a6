"""Actions of the audit log as a person reads them; the words are in action_words.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

_PATH = Path(__file__).with_name("action_words.toml")
ACTION_WORDS: dict[str, str] = {
    f"{subject}.{verb}": words
    for subject, verbs in tomllib.loads(_PATH.read_text(encoding="utf-8")).items()
    for verb, words in verbs.items()
}


def describe_action(action: str) -> str:
    """`endpoint.rotate_token` as `Signing token rotated`; one without words of its own, spelt out."""
    subject, _, verb = action.partition(".")
    return ACTION_WORDS.get(action) or f"{subject}: {verb}".replace("_", " ").capitalize()
