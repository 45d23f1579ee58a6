"""Test requests that differ from a usual one on purpose."""

from __future__ import annotations

from django.db import models

from deliveries.models.delivery import Delivery


class VariantKind(models.TextChoices):
    USUAL = "usual", "Usual request"  # what the others of its run are compared with
    NEW_TOKEN = "new_token", "Signed with the new token only"
    DUPLICATE = "duplicate", "Duplicate"  # the usual one once more, with the same id
    OUT_OF_ORDER = "out_of_order", "Out of order"  # happened before the usual one, sent after it
    BAD_SIGNATURE = "bad_signature", "Bad signature"  # signed with a token nobody has
    OLD_TIMESTAMP = "old_timestamp", "Old timestamp"  # signed rightly, an hour ago
    LARGE_BODY = "large_body", "Large body"  # as large as an event may be


class Variant(models.Model):
    """How one test delivery is to be sent. Read only where a test is sent or shown."""

    delivery = models.OneToOneField(
        Delivery,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="variant",
        db_constraint=False,
    )
    kind = models.CharField(max_length=16, choices=VariantKind)
    run = models.CharField(max_length=40, db_index=True, help_text="Id of what was sent together.")
    sent_as = models.CharField(
        max_length=64, blank=True, help_text="Event id of the request that it repeats."
    )

    def __str__(self) -> str:
        return f"{self.kind} of {self.run}"
