"""System checks of the settings that deliveries leave by."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

_PROXY_SCHEMES = ("http", "https", "socks4a", "socks5h")


@register(Tags.security)
def check_networks(**_: Any) -> list[CheckMessage]:
    hint = "Give CIDRs, comma separated, with all host bits zero: 10.0.0.0/8,fd00::/8."
    found: list[CheckMessage] = [
        Error(f"{name} has what is no network: {fault}.", hint=hint, id="webhooks.E004")
        for name, faults in settings.WEBHOOKS_NETWORK_FAULTS.items()
        for fault in faults
    ]
    found += [
        Warning(
            f"WEBHOOKS_ALLOWED_NETWORKS has {network}, which is every address: customers can make "
            "this server call anything inside your network.",
            hint="Name only the networks that receivers are in.",
            id="webhooks.W004",
        )
        for network in settings.WEBHOOKS_ALLOWED_NETWORKS
        if network.prefixlen == 0
    ]
    return found


@register(Tags.security)
def check_extra_ca_file(**_: Any) -> list[CheckMessage]:
    path = settings.WEBHOOKS_EXTRA_CA_FILE
    fault = _ca_file_fault(path) if path else ""
    if not fault:
        return []
    hint = (
        "No worker starts with it. Name a PEM file (-----BEGIN CERTIFICATE-----) that the "
        "workers' user may read, or leave the variable empty."
    )
    return [Error(f"WEBHOOKS_EXTRA_CA_FILE {path}: {fault}.", hint=hint, id="webhooks.E003")]


def _ca_file_fault(path: str) -> str:
    try:
        text = Path(path).read_bytes().decode("ascii", "ignore")
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        return "it has no certificate in PEM that can be read"
    return ""


@register(Tags.security)
def check_egress_proxy(**_: Any) -> list[CheckMessage]:
    # The value is not shown: a proxy's URL may hold a password.
    fault = _proxy_fault(settings.WEBHOOKS_EGRESS_PROXY)
    if not fault:
        return []
    hint = f"Give scheme://host:port with one of {', '.join(_PROXY_SCHEMES)}, or leave it empty."
    return [Error(f"WEBHOOKS_EGRESS_PROXY {fault}.", hint=hint, id="webhooks.E005")]


def _proxy_fault(url: str) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in _PROXY_SCHEMES:
        return f"has the scheme {parts.scheme!r}, which is not one that deliveries can go through"
    if not parts.hostname or port is None:
        return "names no host and port"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "has more after its host and port"
    return ""


@register(Tags.security)
def check_publish_rate(**_: Any) -> list[CheckMessage]:
    rate = settings.WEBHOOKS_PUBLISH_RATE
    if rate >= 0:
        return []
    hint = "Give events per second and broadcaster; 0 is no limit."
    return [Error(f"WEBHOOKS_PUBLISH_RATE is {rate}.", hint=hint, id="webhooks.E006")]
