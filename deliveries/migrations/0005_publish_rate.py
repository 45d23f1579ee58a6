"""Publish rates; on PostgreSQL unlogged, so that counting an event waits for no disk.

After a crash PostgreSQL empties such a table: every broadcaster starts with a full allowance.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def set_storage(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE deliveries_publishrate SET UNLOGGED")
        # Room on the page for the update that each publish makes.
        schema_editor.execute("ALTER TABLE deliveries_publishrate SET (fillfactor = 20)")


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0004_broadcaster_publish_rate"),
        ("deliveries", "0004_test_variant"),
    ]

    operations = [
        migrations.CreateModel(
            name="PublishRate",
            fields=[
                (
                    "broadcaster",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="subscriptions.broadcaster",
                    ),
                ),
                ("paid_until", models.FloatField()),
            ],
        ),
        migrations.RunPython(set_storage, migrations.RunPython.noop),
    ]
