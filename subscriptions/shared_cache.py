"""A cache in the database, for counts of sign-in attempts that hold across all processes.

Django's own database cache counts its rows on each write, unpickles what it reads, and drops valid
entries when it is full: whoever fills it would lift the limits. Here values are JSON, and only what
has expired is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from subscriptions.models.shared_cache import SharedCacheEntry


class DatabaseCache(BaseCache):
    """Django's cache interface over the table of SharedCacheEntry."""

    def __init__(self, location: str, params: Mapping[str, Any]) -> None:
        super().__init__(dict(params))

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Store a value unless the key has one.

        Of several callers at once, exactly one gets True.
        """
        SharedCacheEntry.objects.filter(expires_at__lte=timezone.now()).delete()
        try:
            with transaction.atomic():
                self._entry(key, value, timeout, version).save(force_insert=True)
        except IntegrityError:
            return False
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        values = self._rows(key, version).filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        )
        return next(iter(values.values_list("value", flat=True)), default)

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        SharedCacheEntry.objects.bulk_create(
            [self._entry(key, value, timeout, version)],
            update_conflicts=True,
            unique_fields=["digest"],
            update_fields=["value", "expires_at"],
        )

    def touch(
        self,
        key: str,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return bool(self._rows(key, version).update(expires_at=self._expiry(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._rows(key, version).delete()[0])

    def clear(self) -> None:
        SharedCacheEntry.objects.all().delete()

    def _digest(self, key: str, version: int | None) -> str:
        return hashlib.sha256(self.make_key(key, version).encode()).hexdigest()

    def _rows(self, key: str, version: int | None) -> QuerySet[SharedCacheEntry]:
        return SharedCacheEntry.objects.filter(pk=self._digest(key, version))

    def _entry(
        self, key: str, value: Any, timeout: float | None, version: int | None
    ) -> SharedCacheEntry:
        return SharedCacheEntry(
            digest=self._digest(key, version), value=value, expires_at=self._expiry(timeout)
        )

    def _expiry(self, timeout: float | None) -> datetime | None:
        moment = self.get_backend_timeout(timeout)
        return None if moment is None else datetime.fromtimestamp(moment, UTC)
