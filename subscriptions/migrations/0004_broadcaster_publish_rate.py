"""A publish rate of its own for a broadcaster."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0003_audit_is_append_only")]
    operations = [
        migrations.AddField(
            model_name="broadcaster",
            name="publish_rate",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Events per second over the API; empty: as the server's "
                "WEBHOOKS_PUBLISH_RATE says; 0: no limit.",
                null=True,
            ),
        ),
    ]
