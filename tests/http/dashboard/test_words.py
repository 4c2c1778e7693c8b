"""Templates stay short and plain; the German catalogue is complete and compiled."""

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
GERMAN = ROOT / "locale/de/LC_MESSAGES"
TEMPLATES = sorted(ROOT.glob("templates/**/*.html"))


def catalogue(reader, name):
    with (GERMAN / name).open("rb") as file:
        return {
            (str(message.context or ""), str(message.id)): message.string
            for message in reader(file)
            if message.id
        }


def test_everything_is_translated():
    with (GERMAN / "django.po").open("rb") as file:
        left = [
            message.id
            for message in read_po(file)
            if message.id and (message.fuzzy or not message.string or not all(message.string))
        ]

    assert left == []


def test_is_compiled_as_it_is_written():
    written = catalogue(read_po, "django.po")
    with (GERMAN / "django.mo").open("rb") as file:
        compiled = {
            message.string if isinstance(message.string, str) else tuple(message.string)
            for message in read_mo(file)
            if message.id
        }

    assert compiled == {text if isinstance(text, str) else tuple(text) for text in written.values()}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_are_short_and_without_inline_code(path):
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 80
    assert "|safe" not in text
    if "documents" not in path.parts:
        assert not re.search(r"\sstyle=|<style|\son\w+=", text)
