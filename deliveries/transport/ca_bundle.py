"""Whom we believe: the system's certificate authorities, and the operator's own."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

import certifi

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class TrustedAuthorities:
    """path: one PEM file with all authorities that receivers' certificates may come from.

    A file, because libcurl reads it once for many connections, but a blob again for each.
    """

    def __init__(self, extra_ca_file: str | None) -> None:
        """extra_ca_file: PEM; raises OSError or ssl.SSLError where it cannot be read."""
        self._joined: Any = None
        system = system_bundle()
        if not extra_ca_file:
            self.path = system
            return
        extra = Path(extra_ca_file).read_bytes()
        ssl.create_default_context(cadata=extra.decode("ascii", "ignore"))
        self._joined = tempfile.NamedTemporaryFile(prefix="webhooks-ca-", suffix=".pem")  # noqa: SIM115
        self._joined.write(Path(system).read_bytes() + b"\n" + extra)
        self._joined.flush()
        self.path = str(self._joined.name)

    def close(self) -> None:
        if self._joined is not None:
            self._joined.close()


def system_bundle() -> str:
    """The system's bundle of authorities, or the one that comes with certifi."""
    named = ssl.get_default_verify_paths().cafile
    candidates = [named, *_SYSTEM_BUNDLES] if named else list(_SYSTEM_BUNDLES)
    return next((path for path in candidates if Path(path).is_file()), certifi.where())
