"""Secrets at rest, encrypted under the keys of WEBHOOKS_SECRET_KEYS.

The first key encrypts and every key decrypts, so that keys can be exchanged while the portal runs.
A secret that no key opens raises WrongKey; nothing is ever signed with a wrong one. `key_ring`
knows settings and no tables; `rotation` finds every encrypted column and re-encrypts it.
"""

from subscriptions.encryption.key_ring import (
    WrongKey,
    check_ring,
    decrypt,
    encrypt,
    is_ciphertext,
)

__all__ = ["WrongKey", "check_ring", "decrypt", "encrypt", "is_ciphertext"]
