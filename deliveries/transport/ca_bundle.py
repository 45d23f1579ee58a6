"""The certificate authorities that are trusted: the system's, and the operator's own."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack
from pathlib import Path

import certifi

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class CABundle:
    """path: one PEM file with all authorities that may vouch for receivers' certificates.

    It is a file because libcurl reads a file once for many connections, but parses a blob again
    for each.
    """

    def __init__(self, extra_ca_file: str | None) -> None:
        """extra_ca_file: PEM; raises OSError or ssl.SSLError if it cannot be read."""
        self._temporary_files = ExitStack()
        system = system_bundle()
        if not extra_ca_file:
            self.path = system
            return
        extra = Path(extra_ca_file).read_bytes()
        ssl.create_default_context(cadata=extra.decode("ascii", "ignore"))
        with ExitStack() as stack:
            joined = stack.enter_context(
                tempfile.NamedTemporaryFile(prefix="webhooks-ca-", suffix=".pem")
            )
            joined.write(Path(system).read_bytes() + b"\n" + extra)
            joined.flush()
            self.path = joined.name
            self._temporary_files = stack.pop_all()

    def close(self) -> None:
        """Delete the joined file, if there is one."""
        self._temporary_files.close()


def system_bundle() -> str:
    """The system's bundle of authorities, or the one that comes with certifi."""
    default = ssl.get_default_verify_paths().cafile
    candidates = [default, *_SYSTEM_BUNDLES] if default else list(_SYSTEM_BUNDLES)
    return next((path for path in candidates if Path(path).is_file()), certifi.where())
