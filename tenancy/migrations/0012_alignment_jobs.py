"""Large alignments are carried out by jobs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0011_discount_jobs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("import", "Import"),
                    ("clock", "Clock"),
                    ("edit", "Change of accounts"),
                    ("prices", "Change of prices"),
                    ("discount", "Discount"),
                    ("align", "Alignment"),
                ],
                max_length=10,
            ),
        ),
    ]
