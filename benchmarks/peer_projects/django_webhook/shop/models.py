"""django-webhook sends models: the event is a row."""

from django.db import models


class Purchase(models.Model):
    n = models.IntegerField()
    purchase_id = models.CharField(max_length=40)
    listing_id = models.CharField(max_length=40)
    buyer = models.JSONField()
    amount = models.FloatField()
    currency = models.CharField(max_length=3)
    license_key = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.purchase_id
