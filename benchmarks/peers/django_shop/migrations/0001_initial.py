"""What `makemigrations` makes of the models."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Store",
            fields=[
                ("id", _ID),
                ("name", models.CharField(max_length=255, unique=True)),
                (
                    "members",
                    models.ManyToManyField(
                        db_table="store_members", related_name="stores", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"db_table": "stores"},
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", _ID),
                ("name", models.CharField(max_length=255)),
                ("price", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="django_shop.store"),
                ),
            ],
            options={
                "db_table": "items",
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("name", "store"), name="one_name_per_store")],
            },
        ),
    ]
