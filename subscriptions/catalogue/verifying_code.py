"""Code that verifies a signature at the receiver, in six languages, ready to paste.

The texts are templates/subscriptions/verify/<scheme>.<language>.txt. They take a literal of the
token in their language, and where the platform names it the header.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.template.loader import render_to_string

PLACEHOLDER = "YOUR_SIGNING_TOKEN"
# File name part, title, lexer.
LANGUAGES = (
    ("python", "Python", "python"),
    ("node", "Node.js", "javascript"),
    ("php", "PHP", "php"),
    ("go", "Go", "go"),
    ("ruby", "Ruby", "ruby"),
    ("csharp", "C#", "csharp"),
)


@dataclass(frozen=True, slots=True)
class CodeSample:
    language: str
    title: str
    lexer: str
    text: str


def _literal(token: str, language: str) -> str:
    """The token as a string literal. PHP and Ruby read $ and # within double quotes."""
    if language in ("php", "ruby"):
        return "'" + token.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return json.dumps(token, ensure_ascii=False)


def render_code_samples(scheme: str, *, header: str, token: str = "") -> list[CodeSample]:
    """One sample a language; empty for the scheme "none"."""
    if scheme == "none":
        return []
    return [
        CodeSample(
            language,
            title,
            lexer,
            render_to_string(
                f"subscriptions/verify/{scheme}.{language}.txt",
                {
                    "header": header,
                    "header_lower": header.lower(),
                    "header_env": "HTTP_" + header.upper().replace("-", "_"),
                    "token": _literal(token or PLACEHOLDER, language),
                },
            ),
        )
        for language, title, lexer in LANGUAGES
    ]
