"""Storage settings of the queue table on PostgreSQL.

fillfactor leaves room on each page for the updates of claim and settle; vacuum comes after a
thousand dead rows, not after a fifth of the table, so that the partial indexes stay small.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def set_storage(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(
        "ALTER TABLE deliveries_delivery SET (fillfactor = 80, "
        "autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000, "
        "autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.02)"
    )


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0001_initial")]
    operations = [migrations.RunPython(set_storage, migrations.RunPython.noop)]
