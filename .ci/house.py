"""Checks that rooms stay small, and that few rules are suppressed, each with its reason."""

import ast
import io
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("deliveries", "subscriptions", "webhooks_portal")
MAX_FILES_OF_AN_APP = {"deliveries": 8, "subscriptions": 12}
MAX_MODULES_OF_A_PACKAGE = 15
MAX_LINES_OF_A_MODULE = 400
MAX_LINES_OF_A_FUNCTION = 60
MAX_MEDIAN_LINES_OF_FUNCTIONS = 8
MAX_SUPPRESSIONS = 40
_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|nosec|type:\s*ignore|pragma:\s*no cover|fmt:\s*(?:skip|off))(?P<rest>.*)"
)
# After the codes of a suppression comes its reason, in words.
_REASON = re.compile(r"(?::\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*\b|\[[a-z, -]+\])?[\s#-]*\w.*")
# Only the stores may ask which database is used.
_ASKS_VENDOR = re.compile(r"connections?(?:\[[^\]]*\])?\.vendor\b")
_MAY_ASK_VENDOR = ("deliveries/dispatch/store/",)
_DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/architecture.md")
# A path in code marks; one with a word in capitals is an example.
_PATH = re.compile(
    r"`((?:deliveries|subscriptions|webhooks_portal|templates|tests|docs)/[^`\s{}]*)`"
)


def main() -> int:
    """Print each fault; return an exit code."""
    faults = [*_crowded(), *_long(), *_suppressed(), *_asking_vendor(), *_missing_files()]
    print("\n".join(faults))
    return 1 if faults else 0


def _modules() -> Iterator[Path]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def _crowded() -> Iterator[str]:
    for app, limit in MAX_FILES_OF_AN_APP.items():
        if (count := len(list((ROOT / app).glob("*.py")))) > limit:
            yield f"{app}/ has {count} Python files of its own, of at most {limit}"
    for package in sorted({path.parent for path in _modules()}):
        if (count := len(list(package.glob("*.py")))) > MAX_MODULES_OF_A_PACKAGE:
            name = package.relative_to(ROOT)
            yield f"{name}/ has {count} modules, of at most {MAX_MODULES_OF_A_PACKAGE}"


def _long() -> Iterator[str]:
    lengths = []
    for path in _modules():
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if (lines := text.count("\n")) > MAX_LINES_OF_A_MODULE:
            yield f"{name} has {lines} lines, of at most {MAX_LINES_OF_A_MODULE}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                lengths.append(length)
                if length > MAX_LINES_OF_A_FUNCTION:
                    yield f"{name}, line {node.lineno}: {node.name} has {length} lines"
    if (median := statistics.median(lengths)) > MAX_MEDIAN_LINES_OF_FUNCTIONS:
        yield f"the median function has {median} lines, of at most {MAX_MEDIAN_LINES_OF_FUNCTIONS}"


def _suppressed() -> Iterator[str]:
    found = []
    for folder in (*APPS, "tests", "benchmarks", ".ci"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for number, comment in _comments(path):
                if match := _SUPPRESSION.search(comment):
                    place = f"{path.relative_to(ROOT)}, line {number}"
                    found.append(place)
                    if not _REASON.fullmatch(match["rest"].strip()):
                        yield f"{place}: suppresses a rule without saying why"
    if len(found) > MAX_SUPPRESSIONS:
        yield f"{len(found)} suppressions, of at most {MAX_SUPPRESSIONS}:"
        yield from found


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _asking_vendor() -> Iterator[str]:
    for path in _modules():
        name = str(path.relative_to(ROOT))
        if name.startswith(_MAY_ASK_VENDOR):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if _ASKS_VENDOR.search(line):
                yield f"{name}, line {number}: asks which database it is"


def _missing_files() -> Iterator[str]:
    for document in _DOCUMENTS:
        for name in _PATH.findall((ROOT / document).read_text(encoding="utf-8")):
            if not re.search(r"[A-Z]{3}", name) and not (ROOT / name).exists():
                yield f"{document} names {name}, which does not exist"


if __name__ == "__main__":
    sys.exit(main())
