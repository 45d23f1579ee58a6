"""Code for receivers that verifies a signature, in six languages, ready to paste.

The texts are templates/subscriptions/verify/<scheme>.<language>.txt. Each gets the token as a
literal of its language, and the header's name.
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


def _quote_token(token: str, language: str) -> str:
    """The token as a string literal. In double quotes PHP and Ruby would interpolate $ and #."""
    if language in ("php", "ruby"):
        return "'" + token.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return json.dumps(token, ensure_ascii=False)


def render_code_samples(scheme: str, *, header: str, token: str = "") -> list[CodeSample]:
    """A sample in each language; none for the scheme "none".

    Without a token they have a placeholder.
    """
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
                    "token": _quote_token(token or PLACEHOLDER, language),
                },
            ),
        )
        for language, title, lexer in LANGUAGES
    ]
