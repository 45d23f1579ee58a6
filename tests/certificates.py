"""Makes certificates for receivers on loopback: good ones, and one of each broken kind."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, and the certificates that its server also presents (PEM)."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    presented: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def server_context(self, maximum: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if maximum is not None:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                context.maximum_version = maximum
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in self.presented)
        with TemporaryDirectory() as folder:
            path = Path(folder, "server.pem")
            path.write_bytes(key + self.pem + chain)
            context.load_cert_chain(path)
        return context


def issue(
    names: tuple[str, ...] = LOOPBACK_NAMES,
    *,
    issuer: Certificate | None = None,
    authority: bool = False,
    common_name: str = "",
    expires: datetime | None = None,
    starts: datetime | None = None,
    presented: tuple[x509.Certificate, ...] = (),
    issuer_url: str = "",
) -> Certificate:
    """Make a certificate signed by `issuer`, or self-signed; `issuer_url` publishes the issuer's."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = _name(common_name or (names[0] if names else "Test authority"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts or min(now, expires or now) - timedelta(days=2))
        .not_valid_after(expires or now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, critical=False)
        builder = builder.add_extension(_alternative_names(names), critical=False)
    if issuer_url:
        location = x509.UniformResourceIdentifier(issuer_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, location)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    signer = issuer.key if issuer else key
    return Certificate(builder.sign(signer, hashes.SHA256()), key, presented)


@cache
def authority() -> Certificate:
    """Return the authority that issues the suite's good certificates."""
    return issue((), authority=True, common_name="Webhooks Portal test authority")


@cache
def good() -> Certificate:
    return issue(issuer=authority())


@cache
def expired() -> Certificate:
    return issue(issuer=authority(), expires=datetime(2024, 3, 4, 9, 50, 51, tzinfo=UTC))


@cache
def not_yet_valid() -> Certificate:
    now = datetime.now(UTC)
    return issue(
        issuer=authority(), starts=now + timedelta(days=5), expires=now + timedelta(days=9)
    )


@cache
def wrong_name() -> Certificate:
    return issue(("shop.example", "*.shop.example"), issuer=authority())


@cache
def self_signed() -> Certificate:
    return issue()


@cache
def private_authority() -> Certificate:
    """Issued by an authority that nobody knows, and which the server presents too."""
    root = issue((), authority=True, common_name="Corporate root")
    return issue(issuer=root, presented=(root.certificate,))


@cache
def incomplete_chain() -> Certificate:
    """Issued by an intermediate of the good authority, which the server does not present."""
    middle = issue((), authority=True, common_name="Test intermediate", issuer=authority())
    return issue(issuer=middle, issuer_url="http://ca.example/intermediate.cer")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative_names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative_name(name) for name in names])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
