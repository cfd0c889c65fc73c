"""Stores with their members, and items."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Store(models.Model):
    name = models.CharField(max_length=255, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="stores", db_table="store_members")

    class Meta:
        db_table = "stores"


class Item(models.Model):
    store = models.ForeignKey(Store, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        db_table = "items"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "store"], name="one_name_per_store")]
