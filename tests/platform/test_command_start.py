"""A command begins at once: it loads none of the large libraries that it has no use for."""

import subprocess
import sys

import pytest

from billing_hierarchy.embedded.folders import project_folder

LARGE = (
    "celery",
    "fontTools",
    "kombu",
    "lxml",
    "openpyxl",
    "PIL",
    "redis",
    "segno",
    "weasyprint",
)
COMMANDS = {
    "accounts": ("check_trees", "create_operator", "create_tenant"),
    "billing_hierarchy": ("stop_services",),
    "invoicing": ("verify_books",),
}
LOADED = """
import sys
import django
django.setup()
from django.core.management import load_command_class
load_command_class({app!r}, {command!r})
print(*(name for name in {large!r} if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("app", "command"), [(app, one) for app, commands in COMMANDS.items() for one in commands]
)
def test_loads_nothing_large(app, command):
    script = LOADED.format(app=app, command=command, large=LARGE)
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.split() == []


def test_tasks_are_sent_to_the_product_by_whoever_has_some():
    script = (
        "import django; django.setup(); from subscriptions import tasks; "
        "print(tasks.work_on_import.app.main)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.split() == ["billing_hierarchy"]
