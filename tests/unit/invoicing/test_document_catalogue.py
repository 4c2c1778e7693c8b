"""Every text of the documents has German and English words."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

APP = Path(settings.BASE_DIR) / "invoicing"
CONTEXTS = {"document", "pages"}
TRANSLATED = re.compile(r'{%\s*translate "([^"]+)" context "([^"]+)"')


def texts_of_code():
    for path in sorted((APP / "documents").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in {"pgettext", "npgettext"}:
                yield "document", node.args[1].value


def texts_of_templates():
    for path in sorted((Path(settings.BASE_DIR) / "templates" / "documents").glob("*.html")):
        text = path.read_text("utf-8")
        assert text.count("{% translate") == len(TRANSLATED.findall(text)), path.name
        for message, context in TRANSLATED.findall(text):
            yield context, message


USED = {*texts_of_code(), *texts_of_templates()}


def catalogue(language, ending):
    path = APP / "locale" / language / "LC_MESSAGES" / f"django.{ending}"
    with path.open("rb") as file:
        return read_po(file, locale=language) if ending == "po" else read_mo(file)


def entries(found):
    return {
        (_text(message.context), message.id[0] if message.pluralizable else message.id): (
            list(message.string) if message.pluralizable else message.string
        )
        for message in found
        if message.id
    }


def _text(context):
    """Return a context as text: the reader of compiled catalogues leaves it as bytes."""
    return context.decode() if isinstance(context, bytes) else context


@pytest.mark.parametrize("language", ["de", "en"])
def test_has_words_for_every_text_and_no_others(language):
    words = entries(catalogue(language, "po"))

    assert words.keys() == USED
    assert all(string and all(string) for string in words.values())
    assert {context for context, _message in words} == CONTEXTS


@pytest.mark.parametrize("language", ["de", "en"])
def test_is_compiled_from_what_is_written(language):
    assert entries(catalogue(language, "mo")) == entries(catalogue(language, "po"))
