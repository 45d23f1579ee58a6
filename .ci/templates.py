"""Checks every template of the project: that it compiles, that its lines are short, that it keeps
to its app."""

import os
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webhooks_portal.settings")

import django
from django.template import TemplateSyntaxError
from django.template.loader import get_template

TEMPLATES = ROOT / "templates"
# Shown to users byte for byte, so their lines are as long as their languages have them.
CODE_SAMPLES = TEMPLATES / "subscriptions" / "verify"
DELIVERIES = TEMPLATES / "deliveries"
MAX_MEAN_LENGTH = 70
LONG_LINE = 140
MAX_LONG_LINES_PERCENT = 1
# subscriptions knows nothing of deliveries, by URL name and by template tag either.
OF_DELIVERIES = re.compile(r"""['"]deliveries:|\{% load [^%]*\b(deliveries|event_log)\b""")

django.setup()


def main() -> int:
    """Print what is wrong with the templates; return an exit code."""
    paths = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
    lines = [line for path in paths for line in _read_lines(path)]
    faults = list(chain(_uncompiled(paths), _too_long(lines), _of_deliveries(lines)))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _read_lines(path: Path) -> Iterator[tuple[Path, int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        yield path, number, line


def _uncompiled(paths: list[Path]) -> Iterator[str]:
    """A misspelt tag or filter is found without a request."""
    for path in paths:
        try:
            get_template(str(path.relative_to(TEMPLATES)))
        except TemplateSyntaxError as error:
            yield f"{path.relative_to(ROOT)}: {error}"


def _too_long(lines: list[tuple[Path, int, str]]) -> Iterator[str]:
    measured = [line for line in lines if not line[0].is_relative_to(CODE_SAMPLES)]
    by_length = sorted(measured, key=lambda line: len(line[2]), reverse=True)
    mean = sum(len(text) for _, _, text in measured) / len(measured)
    if mean > MAX_MEAN_LENGTH:
        yield f"The mean line of a template has {mean:.1f} characters, {MAX_MEAN_LENGTH} at most:"
        yield from map(_length_of, by_length[:20])
    long = [line for line in by_length if len(line[2]) > LONG_LINE]
    if len(long) * 100 > len(measured) * MAX_LONG_LINES_PERCENT:
        yield (
            f"{len(long)} of {len(measured)} lines of templates exceed {LONG_LINE} characters, "
            f"{MAX_LONG_LINES_PERCENT} in 100 may:"
        )
        yield from map(_length_of, long)


def _length_of(line: tuple[Path, int, str]) -> str:
    path, number, text = line
    return f"  {path.relative_to(ROOT)}:{number}: {len(text)} characters"


def _of_deliveries(lines: list[tuple[Path, int, str]]) -> Iterator[str]:
    for path, number, text in lines:
        if not path.is_relative_to(DELIVERIES) and (found := OF_DELIVERIES.search(text)):
            yield (
                f"{path.relative_to(ROOT)}:{number}: {found.group()} outside templates/deliveries: "
                "an app's pages name only themselves and what lies below"
            )


if __name__ == "__main__":
    sys.exit(main())
