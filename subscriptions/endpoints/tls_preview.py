"""Whether an https:// address presents a certificate that deliveries will accept, in words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache

import certifi
from django.conf import settings

_SECONDS = 2
_MAX_ADDRESSES = 2
# OpenSSL's numbers of what can be wrong with a certificate.
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
def _context(extra_ca_file: str | None) -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    context = ssl.create_default_context(
        cafile=None if paths.cafile or paths.capath else certifi.where()
    )
    if extra_ca_file:
        context.load_verify_locations(extra_ca_file)
    return context


def find_tls_fault(host: str, port: int, addresses: Sequence[str]) -> str | None:
    """None where a handshake succeeds with one of the addresses, whose judging is the caller's.

    Takes four seconds for each of two addresses at most; nothing is sent beyond the handshake.
    """
    fault = None
    for address in addresses[:_MAX_ADDRESSES]:
        fault = _fault_at(host, port, address)
        if fault is None:
            return None
    return fault


def _fault_at(host: str, port: int, address: str) -> str | None:
    try:
        with socket.create_connection((address, port), timeout=_SECONDS) as plain:
            # The time-out holds for the handshake as a whole.
            _context(settings.WEBHOOKS_EXTRA_CA_FILE).wrap_socket(
                plain, server_hostname=host
            ).close()
    except ssl.SSLCertVerificationError as error:
        return _FAULTS.get(error.verify_code, _UNKNOWN_AUTHORITY)
    except TimeoutError:
        return f"port {port} did not answer in TLS within {_SECONDS} seconds."
    except ssl.SSLError:
        return f"port {port} does not answer in TLS, as https:// needs."
    except ValueError:
        return None  # a name that no certificate can have: sending will say what is wrong with it
    except OSError:
        return f"nothing takes connections on port {port} now."
    return None
