"""Runs `make check`: every check that needs no tests. The exit code is 1 if one of them failed."""

import filecmp
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
API_DESCRIPTION = ROOT / "webhooks_portal" / "openapi.yaml"
TYPED = (
    "subscriptions",
    "deliveries",
    "webhooks_portal",
    "manage.py",
    "tests",
    "benchmarks",
    ".ci",
)
AUDIT_SECONDS = 90
PRODUCTION = {
    "DEBUG": "false",
    "WEBHOOKS_PRODUCTION": "true",
    "WEBHOOKS_PUBLIC_URL": "https://webhooks.example.com",
    "SECRET_KEY": "for-the-check-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "WEBHOOKS_SECRET_KEYS": "Zm9yLXRoZS1jaGVjay1vbmx5LTMyLWJ5dGVzLWxvbmc=",
}


def main() -> int:
    """Run all checks and print the result of each."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="webhooks-check-") as directory:
        data = Path(directory)
        environment = {k: v for k, v in os.environ.items() if k not in ("DEBUG", "DATABASE_URL")}
        environment |= {"WEBHOOKS_DATA_DIR": directory}
        failed = [name for name, check in _checks(data, environment) if not _passes(name, check)]
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def _checks(data: Path, environment: dict[str, str]) -> Iterator[tuple[str, Callable[[], bool]]]:
    def runs(*command: str, **more: str) -> Callable[[], bool]:
        return lambda: _run([sys.executable, *command], {**environment, **more})

    yield "style (ruff check)", runs("-m", "ruff", "check", "--quiet", ".")
    yield "format (ruff format)", runs("-m", "ruff", "format", "--check", "--quiet", ".")
    yield "known vulnerabilities (pip-audit)", _no_known_vulnerability
    yield "types (mypy)", runs("-m", "mypy", "--no-error-summary", *TYPED)
    yield "walls between rooms (import-linter)", _walls_stand
    yield "size of rooms, suppressions", runs(".ci/house.py")
    # The API description has a section for each platform, so the platforms are loaded first.
    yield "database", runs("manage.py", "migrate", "--verbosity", "0")
    yield "platforms", runs("manage.py", "load_platforms", "--verbosity", "0")
    yield "settings", runs("manage.py", "check", "--fail-level", "WARNING")
    deploy = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    yield "settings in production", runs(*deploy, **PRODUCTION)
    yield "migrations", runs("manage.py", "makemigrations", "--check", "--dry-run")
    yield "templates", runs(".ci/templates.py")
    yield "API description", lambda: _api_description_is_current(data, environment)


def _passes(name: str, check: Callable[[], bool]) -> bool:
    started = time.monotonic()
    passed = check()
    print(
        f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)",
        flush=True,
    )
    return passed


def _run(command: list[str], environment: dict[str, str]) -> bool:
    """Run a command; print its output only if it failed."""
    result = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        print(result.stdout, end="", flush=True)
    return result.returncode == 0


def _walls_stand() -> bool:
    program = Path(sys.executable).with_name("lint-imports")
    return _run([str(program), "--no-logo", "--no-cache"], {**os.environ, "PYTHONPATH": str(ROOT)})


def _no_known_vulnerability() -> bool:
    """Look up the installed packages. If no service answers, print that; it is no failure."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off"]
    try:
        asked = subprocess.run(
            [*command, "--format", "json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=AUDIT_SECONDS,
        )
        packages = json.loads(asked.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _not_audited(f"no answer in {AUDIT_SECONDS} seconds")
    except (ValueError, KeyError):
        return _not_audited((asked.stderr.strip() or "no answer").splitlines()[-1][:200])
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return _not_audited("the vulnerability service knows none of the packages")
    found = [package for package in known if package["vulns"]]
    for package in found:
        for fault in package["vulns"]:
            fixed = ", ".join(fault["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {fault['id']}, fixed in {fixed}")
    return not found


def _not_audited(reason: str) -> bool:
    print(f"       skipped, offline: {reason}")
    return True


def _api_description_is_current(data: Path, environment: dict[str, str]) -> bool:
    made = data / "openapi.yaml"
    spectacular = ["manage.py", "spectacular", "--validate", "--fail-on-warn", "--file"]
    if not _run([sys.executable, *spectacular, str(made)], environment):
        return False
    if API_DESCRIPTION.exists() and filecmp.cmp(made, API_DESCRIPTION, shallow=False):
        return True
    name = API_DESCRIPTION.relative_to(ROOT)
    print(f"{name} is out of date: .venv/bin/python manage.py spectacular --file {name}")
    return False


if __name__ == "__main__":
    sys.exit(main())
