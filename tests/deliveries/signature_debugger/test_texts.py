"""The texts of findings and the lines of code: every code used has one, and every one is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deliveries import signature_debugger
from deliveries.signature_debugger.findings import FINDING_TEXTS
from deliveries.signature_debugger.framework_fixes import _FILE, FRAMEWORKS, LANGUAGES

pytestmark = pytest.mark.one_database
ROOM = Path(signature_debugger.__file__).parent
STYLES = {"lines", "curl", "json", "node", "php", "wsgi", "rack", "go", "lambda"}
KINDS = {"raw-body", "header", "form", "hash", "message", "secret", "compare", "clock", ""}


def codes_in_the_source() -> set[str]:
    """Every string of the room that looks like a finding's code."""
    source = "".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*.py"))
    return set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', source))


def test_every_finding_has_a_text_and_every_text_a_finding() -> None:
    assert FINDING_TEXTS.keys() <= codes_in_the_source()
    hyphenated = {code for code in codes_in_the_source() if "-" in code}
    names_of_other_things = {"utf-8", "latin-1", "utf-16-le", "utf-16-be", "raw-body"}
    names_of_other_things |= {"hmac-sha256-hex", "hmac-sha256-base64", "content-length", "utf-16"}
    names_of_other_things |= {"percent-encoded"}
    assert hyphenated - FINDING_TEXTS.keys() <= names_of_other_things


def test_every_text_is_whole() -> None:
    for code, text in FINDING_TEXTS.items():
        assert text.title and text.cause.endswith("."), code
        assert text.action == "" or text.action.endswith("."), code
        assert not text.title.endswith("."), code
        assert text.fix in KINDS, code


def test_lines_of_code_name_languages_frameworks_and_findings_that_exist() -> None:
    assert {framework.language for framework in FRAMEWORKS.values()} == set(LANGUAGES)
    assert _FILE["by_finding"].keys() <= FINDING_TEXTS.keys()
    assert _FILE["by_style"].keys() <= STYLES
    named = [*_FILE["by_finding"].values(), *_FILE["by_style"].values()]
    named += [sign["frameworks"] for sign in _FILE["by_header"]]
    assert {name for names in named for name in names} <= FRAMEWORKS.keys()


def test_lines_of_code_have_the_places_that_are_filled() -> None:
    for name, framework in FRAMEWORKS.items():
        assert re.search(r"\{(name|lower|upper)\}", framework.header), name
    for name, language in LANGUAGES.items():
        for line in (language.hex, language.base64):
            assert "{key}" in line and "{signed}" in line, name
