"""The pictures of the documents are what their script draws."""

import runpy
from xml.etree import ElementTree

import pytest

from billing_hierarchy.embedded.folders import project_folder

ROOT = project_folder()
DRAWN = runpy.run_path(str(ROOT / "scripts/pictures.py"))


@pytest.mark.parametrize("name", ["layers", "flow", "engine", "processes"])
def test_is_as_drawn_and_has_a_title(name):
    text = (ROOT / "docs/pictures" / f"{name}.svg").read_text(encoding="utf-8")

    assert text == DRAWN[name]()
    assert ElementTree.fromstring(text)[0].text


def test_the_layers_are_those_of_the_contract():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contract = project.split('name = "Apps depend downwards only"')[1].split("]")[0]
    names = [name.strip(' ",') for name in contract.split("layers = [")[1].split("\n")]
    picture = DRAWN["layers"]()
    heights = [picture.index(f">{name}<") for row in names if row for name in row.split(" | ")]

    assert len(heights) == 11
    assert heights == sorted(heights)
