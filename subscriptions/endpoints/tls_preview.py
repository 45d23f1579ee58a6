"""Whether an https:// address presents a certificate that deliveries will accept, in words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache

import certifi
from django.conf import settings

_TIMEOUT_SECONDS = 2
_MAX_ADDRESSES = 2
# By OpenSSL's verification error codes (X509_V_ERR_...).
_FAULTS = {
    9: "its certificate is not valid yet: check the clock of the server that made it.",
    10: "its certificate has expired: renew it.",
    18: "its certificate is signed by itself: get one from a public authority.",
    62: "its certificate is for other names: get one for this name.",
    64: "its certificate is not for this address: use the name that it is for.",
}
_UNKNOWN_AUTHORITY = (
    "its certificate comes from an authority that is not known here, or the server leaves the "
    "intermediate certificate out: serve the full chain."
)


@lru_cache(maxsize=4)
def _tls_context(extra_ca_file: str | None) -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    context = ssl.create_default_context(
        cafile=None if paths.cafile or paths.capath else certifi.where()
    )
    if extra_ca_file:
        context.load_verify_locations(extra_ca_file)
    return context


def find_tls_fault(host: str, port: int, addresses: Sequence[str]) -> str | None:
    """What keeps TLS from working, in words; None if a handshake succeeds at one of the addresses.

    The caller has checked that the addresses may be connected to. At most two are tried, for at
    most four seconds each; nothing is sent beyond the handshake.
    """
    fault = None
    for address in addresses[:_MAX_ADDRESSES]:
        fault = _find_fault_at(host, port, address)
        if fault is None:
            return None
    return fault


def _find_fault_at(host: str, port: int, address: str) -> str | None:
    try:
        with socket.create_connection((address, port), timeout=_TIMEOUT_SECONDS) as plain:
            # The timeout is a deadline for the whole handshake.
            _tls_context(settings.WEBHOOKS_EXTRA_CA_FILE).wrap_socket(
                plain, server_hostname=host
            ).close()
    except ssl.SSLCertVerificationError as error:
        return _FAULTS.get(error.verify_code, _UNKNOWN_AUTHORITY)
    except TimeoutError:
        return f"port {port} did not answer in TLS within {_TIMEOUT_SECONDS} seconds."
    except ssl.SSLError:
        return f"port {port} does not answer in TLS, as https:// needs."
    except ValueError:
        return None  # No certificate can have this name; the first attempt will say so.
    except OSError:
        return f"nothing takes connections on port {port} now."
    return None
