"""Production settings, as a real process reads them from its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from tests.portal_clients import make_portal

FAULTY = {
    "WEBHOOKS_EXTRA_CA_FILE": "missing.pem",
    "WEBHOOKS_ALLOWED_NETWORKS": "10.0.0.1/8",
    "WEBHOOKS_EGRESS_PROXY": "proxy:3128",
    "WEBHOOKS_SECRET_KEYS": "short",
}


@pytest.fixture
def production(tmp_path: Path, process_environment: dict[str, str]) -> dict[str, str]:
    """What README's Deploying tells an operator to set, and PATH; tokens have this test's key."""
    return {
        "DATABASE_URL": process_environment["DATABASE_URL"],
        "PATH": os.environ["PATH"],
        "WEBHOOKS_PRODUCTION": "1",
        "WEBHOOKS_PUBLIC_URL": "https://webhooks.example.com",
        "WEBHOOKS_BEHIND_PROXY": "1",
        "WEBHOOKS_DATA_DIR": str(tmp_path),
        "SECRET_KEY": "for-one-test-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
        "WEBHOOKS_SECRET_KEYS": ",".join(settings.WEBHOOKS_SECRET_KEYS),
        "WEBHOOKS_SIGNUP": "invite",
    }


def check(environment: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"]
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_the_documented_environment_passes_every_deployment_check(
    production: dict[str, str], tmp_path: Path
) -> None:
    make_portal().add_endpoint()
    code, output = check(production)
    assert (code, "no issues" in output) == (0, True), output
    assert not (tmp_path / "secrets.env").exists()


def test_keys_that_open_no_token_are_found_before_a_release(production: dict[str, str]) -> None:
    make_portal().add_endpoint()
    key = Fernet.generate_key().decode()
    code, output = check(production | {"WEBHOOKS_SECRET_KEYS": key})
    assert code != 0 and "(webhooks.E002)" in output
    assert key not in output


@pytest.mark.parametrize("missing", ["SECRET_KEY", "WEBHOOKS_SECRET_KEYS"])
def test_it_does_not_start_with_secrets_made_in_development(
    missing: str, production: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "secrets.env").write_text("SECRET_KEY=made\nWEBHOOKS_SECRET_KEYS=made\n")
    code, output = check({k: v for k, v in production.items() if k != missing})
    assert code != 0 and "generated development secrets" in output


def test_it_does_not_start_with_debug_pages(production: dict[str, str]) -> None:
    code, output = check(production | {"DEBUG": "1"})
    assert code != 0 and "WEBHOOKS_PRODUCTION and DEBUG" in output


def test_each_setting_that_cannot_be_used_is_named_at_once(production: dict[str, str]) -> None:
    code, output = check(production | FAULTY)
    assert code != 0
    for name, number in zip(FAULTY, ("E003", "E004", "E005", "E001"), strict=True):
        assert f"(webhooks.{number})" in output and name in output
    assert output.count("HINT") >= len(FAULTY)
