"""After a run or an import tables are counted by fewer rows; housekeeping counts them thoroughly."""

from typing import Any, ClassVar

from django.db import migrations

# 300 rows are looked at for each of so many steps of a histogram. By 100, the default, a run of
# 100,000 subscriptions spends a tenth of the database's time on counting its tables; how many rows
# a table has, and how many of them are whose, is told as well by a quarter.
FEWER = """
    ALTER FUNCTION tenancy_refresh_outdated_statistics() SET default_statistics_target = 25
"""
AS_MANY = "ALTER FUNCTION tenancy_refresh_outdated_statistics() RESET default_statistics_target"


class Migration(migrations.Migration):
    """Say so to the function."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("tenancy", "0013_job_of_checks")]
    operations: ClassVar[list[Any]] = [migrations.RunSQL(FEWER, AS_MANY)]
