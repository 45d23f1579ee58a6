"""Chooses the line of code to change, for the framework that a request was received with.

The lines are in framework_fixes.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class Framework(NamedTuple):
    """`raw_body` gets the bytes as they came, `header` reads {name}; both are one line of code."""

    title: str
    language: str
    raw_body: str
    header: str


class Language(NamedTuple):
    """Lines of code for a language; framework_fixes.toml describes each."""

    hex: str
    base64: str
    text_key: str
    whsec_key: str
    framed: str
    compare: str
    secret: str


class Fix(NamedTuple):
    """The line for one framework; `framework` is its title."""

    framework: str
    code: str


_FILE = tomllib.loads((Path(__file__).parent / "framework_fixes.toml").read_text(encoding="utf-8"))
FRAMEWORKS = {name: Framework(**table) for name, table in _FILE["frameworks"].items()}
LANGUAGES = {name: Language(**table) for name, table in _FILE["languages"].items()}


def guess_frameworks(
    *, chosen: str, style: str, headers: Iterable[tuple[str, str]], code: str
) -> tuple[tuple[str, ...], str]:
    """Guess the frameworks, at most three, from the finding's code, the headers and their form.

    Returns their names, and how they were found; without a guess, no name and "".
    """
    if chosen in FRAMEWORKS:
        return (chosen,), "You chose it."
    if found := _FILE["by_finding"].get(code):
        return tuple(found), "The body tells it."
    for name, _ in headers:
        for sign in _FILE["by_header"]:
            if name.lower().startswith(tuple(sign["prefixes"])):
                return tuple(sign["frameworks"]), f"The header {name} tells it."
    if found := _FILE["by_style"].get(style):
        return tuple(found), "The form of the headers that you pasted tells it."
    return (), ""


def fixes(
    names: Iterable[str], *, kind: str, scheme: str, header: str, is_whsec: bool
) -> list[Fix]:
    """One line of that kind for each framework; none if the kind has no code."""
    found = []
    for name in names:
        framework = FRAMEWORKS[name]
        if code := _line(framework, kind, scheme, header, is_whsec=is_whsec):
            found.append(Fix(framework.title, code))
    return found


def _line(framework: Framework, kind: str, scheme: str, header: str, *, is_whsec: bool) -> str:
    language = LANGUAGES[framework.language]
    if kind == "raw-body":
        return framework.raw_body
    if kind == "header":
        cgi_name = header.upper().replace("-", "_")
        places = {"name": header, "lower": header.lower(), "upper": cgi_name}
        return _fill(framework.header, places)
    if kind == "compare":
        return language.compare
    if kind == "secret" and not (scheme == "standard" and is_whsec):
        return language.secret
    if kind in ("form", "hash", "message", "secret"):
        return signature_expression(framework.language, scheme, is_whsec=is_whsec)
    return ""


def signature_expression(language: str, scheme: str, *, is_whsec: bool) -> str:
    """The right signature in one line of that language."""
    lines = LANGUAGES[language]
    is_standard = scheme == "standard"
    key = lines.whsec_key if is_standard and is_whsec else lines.text_key
    signed = lines.framed if is_standard else "$body" if language == "php" else "body"
    digest = lines.hex if scheme == "hmac-sha256-hex" else lines.base64
    line = _fill(digest, {"key": key, "signed": signed})
    if language == "go" and key == "key":
        line = f'key, _ := base64.StdEncoding.DecodeString(token[len("whsec_"):]); {line}'
    return line


def _fill(template: str, places: Mapping[str, str]) -> str:
    """Fill the named places only: code has braces of its own."""
    for name, value in places.items():
        template = template.replace(f"{{{name}}}", value)
    return template
