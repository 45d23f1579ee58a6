"""The key ring: secrets encrypted and decrypted with the Fernet keys of WEBHOOKS_SECRET_KEYS."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class WrongKey(Exception):
    """No key of WEBHOOKS_SECRET_KEYS opens this secret, or one of them is not a key."""


@lru_cache(maxsize=4)
def _build_fernets(keys: tuple[str, ...]) -> tuple[Fernet, ...]:
    fernets = []
    for position, key in enumerate(keys, start=1):
        try:
            fernets.append(Fernet(key))
        except ValueError:
            # Without the cause, which may quote the key.
            raise WrongKey(
                f"Key {position} of WEBHOOKS_SECRET_KEYS is no Fernet key: give the URL-safe "
                "base64 of 32 random bytes."
            ) from None
    if not fernets:
        raise WrongKey("WEBHOOKS_SECRET_KEYS has no key in it: give at least one.")
    return tuple(fernets)


@lru_cache(maxsize=4)
def _build_ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(_build_fernets(keys))


def check_ring() -> None:
    """Raise WrongKey, without quoting a key, if the ring itself cannot be used."""
    _current_ring()


def _current_ring() -> MultiFernet:
    return _build_ring(tuple(settings.WEBHOOKS_SECRET_KEYS))


def encrypt(plaintext: str) -> str:
    return _current_ring().encrypt(plaintext.encode()).decode()


@lru_cache(maxsize=10_000)
def _decrypt(ciphertext: str, ring: MultiFernet) -> str:
    try:
        return ring.decrypt(ciphertext.encode()).decode()
    except InvalidToken as error:
        raise WrongKey(
            "A signing token cannot be decrypted with WEBHOOKS_SECRET_KEYS: put the key it was "
            "encrypted with back into the ring (any position)."
        ) from error


def decrypt(ciphertext: str) -> str:
    """The plain text. Raises WrongKey if no key opens the ciphertext.

    Plain texts are cached by ciphertext and ring, so that a cached one is never out of date.
    """
    return _decrypt(ciphertext, _current_ring())


def is_ciphertext(text: str) -> bool:
    """Whether the text begins as every Fernet token does: version byte and time, in base64."""
    return text.startswith("gAAAA")


def is_under_first_key(ciphertext: str) -> bool:
    try:
        _build_fernets(tuple(settings.WEBHOOKS_SECRET_KEYS))[0].decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def rotate(ciphertext: str) -> str:
    """The same secret under the ring's first key. Raises WrongKey."""
    try:
        return _current_ring().rotate(ciphertext.encode()).decode()
    except InvalidToken as error:
        raise WrongKey("A signing token cannot be decrypted with any key of the ring.") from error
