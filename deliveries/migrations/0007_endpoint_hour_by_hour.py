"""The counters' unique index begins with the hour: a batch adds to rows that lie together in it.

An endpoint's own hours have an index of their own from now on.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0006_delivery_page_test")]

    operations = [
        migrations.AddIndex(
            model_name="endpointhour",
            index=models.Index(fields=["endpoint", "hour"], name="endpoint_hour_history"),
        ),
        migrations.RemoveConstraint(model_name="endpointhour", name="endpoint_hour_shard"),
        migrations.AddConstraint(
            model_name="endpointhour",
            constraint=models.UniqueConstraint(
                fields=("hour", "endpoint", "shard"), name="endpoint_hour_shard"
            ),
        ),
    ]
