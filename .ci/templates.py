"""Compiles every template, so that a misspelt tag or filter is found without a request."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webhooks_portal.settings")

import django
from django.template import TemplateSyntaxError
from django.template.loader import get_template

django.setup()


def main() -> int:
    """Name each template that does not compile; return an exit code."""
    templates = ROOT / "templates"
    faults = 0
    for path in sorted(path for path in templates.rglob("*") if path.is_file()):
        try:
            get_template(str(path.relative_to(templates)))
        except TemplateSyntaxError as error:
            faults += 1
            print(f"{path.relative_to(ROOT)}: {error}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
