"""Secrets for an installation that was given none: made once, kept in the data directory."""

import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

FILE_NAME = "secrets.env"
NAMES = ("SECRET_KEY", "WEBHOOKS_SECRET_KEYS")

_HEADING = """\
# Made by Webhooks Portal because the environment gave no secrets. Back this file up together
# with the database: without WEBHOOKS_SECRET_KEYS no signing token can be read again.
"""


def read_or_make_secrets(data_dir: Path | str) -> dict[str, str]:
    """Return SECRET_KEY and WEBHOOKS_SECRET_KEYS of this data directory, made when first asked.

    The file is written whole, with mode 0600, and never overwritten: of several processes that
    start at once, all read the one that was there first. Raises ImproperlyConfigured where the
    directory cannot be written or the file lacks a name.
    """
    path = Path(data_dir) / FILE_NAME
    try:
        if not path.exists():
            _write_unless_there(path, _make())
        return _read(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"Secrets cannot be kept in {path} ({error.strerror}): set WEBHOOKS_DATA_DIR to a "
            f"directory that this user may write, or set {' and '.join(NAMES)}."
        ) from error


def _make() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "WEBHOOKS_SECRET_KEYS": Fernet.generate_key().decode("ascii"),
    }


def _write_unless_there(path: Path, values: dict[str, str]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600, so that the secrets are at no moment readable.
    descriptor, draft = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(_HEADING)
            file.writelines(f"{name}={value}\n" for name, value in values.items())
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name is taken; a rename would replace what another just made.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


def _read(path: Path) -> dict[str, str]:
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    found = {name.strip(): value.strip() for name, _, value in pairs}
    missing = [name for name in NAMES if not found.get(name)]
    if missing:
        raise ImproperlyConfigured(
            f"{path} has no {' and no '.join(missing)}: restore the file from a backup, or set "
            "what is missing in the environment."
        )
    return {name: found[name] for name in NAMES}
