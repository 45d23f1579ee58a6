"""What all processes have to know at once and nobody for long."""

from __future__ import annotations

from django.db import models


class SharedCacheEntry(models.Model):
    """A row of the cache that shared_cache.DatabaseCache keeps. Its key is not kept in clear."""

    digest = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of the key.")
    value = models.JSONField()
    expires_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name_plural = "shared cache entries"

    def __str__(self) -> str:
        return self.digest
