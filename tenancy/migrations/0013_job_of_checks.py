"""Jobs may check the books."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0012_alignment_jobs"),
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
                    ("check", "Check of the books"),
                ],
                max_length=10,
            ),
        ),
    ]
