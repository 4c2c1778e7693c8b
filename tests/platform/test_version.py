"""The product has one version."""

import tomllib

from billing_hierarchy import VERSION
from billing_hierarchy.embedded.folders import project_folder


def test_is_the_version_of_the_project():
    project = tomllib.loads((project_folder() / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["version"] == VERSION
