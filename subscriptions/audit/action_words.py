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
    """The action in words: `endpoint.rotate_token` is `Signing token rotated`.

    An action that has no words is spelt out: `endpoint.take_apart` is `Endpoint: take apart`.
    """
    subject, _, verb = action.partition(".")
    return ACTION_WORDS.get(action) or f"{subject}: {verb}".replace("_", " ").capitalize()
