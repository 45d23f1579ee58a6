"""Short-lived values that all processes share."""

from __future__ import annotations

from django.db import models


class SharedCacheEntry(models.Model):
    """A value of shared_cache.DatabaseCache, under a digest of its key."""

    digest = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of the key.")
    value = models.JSONField()
    expires_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name_plural = "shared cache entries"

    def __str__(self) -> str:
        return self.digest
