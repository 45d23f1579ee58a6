"""The request of an attempt as a curl command, for making it again by hand."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def curl_command(*, url: str, headers: Iterable[tuple[str, str]], body: str) -> str:
    """A command for a POSIX shell. Header values that are masked in the log are masked here too."""
    lines = [f"curl --request POST {shlex.quote(url)}"]
    lines += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in headers]
    lines.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(lines)
