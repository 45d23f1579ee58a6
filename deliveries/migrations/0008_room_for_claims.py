"""Room on each page of the queue table for a claim of all that stands there, on PostgreSQL.

A claim changes no index where the new versions of its rows fit beside the old ones, and a backlog
is claimed by whole pages. Settling takes up much of the rest of the page, as the old versions
have had their time by then. Pages that are there already stay as they are.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def leave_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE deliveries_delivery SET (fillfactor = 45)")


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0007_endpoint_hour_by_hour")]
    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]
