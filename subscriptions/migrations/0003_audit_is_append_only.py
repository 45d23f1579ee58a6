"""Audit entries cannot be changed, nor deleted but in a transaction that says it means to.

PostgreSQL only: SQLite has one user and no settings of a transaction; there the model refuses.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FUNCTION = """
CREATE FUNCTION subscriptions_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('webhooks.audit_removal', true) = 'allowed' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit entries are only ever added: % refused', TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'To delete: SET LOCAL webhooks.audit_removal = ''allowed'' in the transaction.';
END $$
"""
TRIGGER = """
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON subscriptions_auditentry
FOR EACH ROW EXECUTE FUNCTION subscriptions_audit_is_append_only()
"""


def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)
        schema_editor.execute(TRIGGER, params=None)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER audit_is_append_only ON subscriptions_auditentry")
        schema_editor.execute("DROP FUNCTION subscriptions_audit_is_append_only()")


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0002_shared_cache")]
    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="actor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(add, remove),
    ]
