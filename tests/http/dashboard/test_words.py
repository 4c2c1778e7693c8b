"""Templates stay short and plain; the German catalogue is complete and compiled."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_python
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
GERMAN = ROOT / "locale/de/LC_MESSAGES"
APPS = (
    "accounts", "billing_hierarchy", "billing_rules", "dashboard", "invoicing", "notifications",
    "portal", "reports", "subscriptions", "tenancy", "web",
)  # fmt: skip
FUNCTIONS = {
    f"{before}gettext{after}": None
    for before in ("", "n", "p", "np")
    for after in ("", "_lazy", "_noop")
} | {"_": None}
TEMPLATES = sorted(ROOT.glob("templates/**/*.html"))
# A tag of Django cannot be broken: some name a sentence and its values.
LONGEST_LINE = 160


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

    assert left == [], "write the German words into locale/de/LC_MESSAGES/django.po"


def test_holds_what_is_used_and_nothing_else():
    """``make messages`` writes it; what differs was added or left by hand."""
    collected = set(texts_in_code()) | set(texts_in_templates())
    # Texts of documents have a catalogue of their own.
    documents = {key for key in collected if key[0] in {"document", "pages"}}

    held = set(catalogue(read_po, "django.po")) - documents
    assert held == collected - documents, "run scripts/messages.py"


def texts_in_code():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield from texts_in(path.read_text(encoding="utf-8"))


def texts_in_templates():
    for path in TEMPLATES:
        # One line: what stands between the texts is indented like no Python.
        yield from texts_in(templatize(path.read_text(encoding="utf-8")).replace("\n", " ").strip())


def texts_in(source):
    for _line, function, text, _comments in extract_python(
        io.BytesIO(source.encode()), FUNCTIONS, (), {"encoding": "utf-8"}
    ):
        parts = [text] if isinstance(text, str) else list(text)
        context = parts.pop(0) if "pgettext" in function else ""
        # What is named by a variable is a text of a document: those have a test of their own.
        if context is not None and parts and parts[0]:
            # Of a text with a plural, the catalogue names both forms.
            yield context, str(tuple(parts[:2])) if function.startswith("n") else parts[0]


def test_is_compiled_as_it_is_written():
    written = catalogue(read_po, "django.po")
    with (GERMAN / "django.mo").open("rb") as file:
        compiled = {
            message.string if isinstance(message.string, str) else tuple(message.string)
            for message in read_mo(file)
            if message.id
        }

    wanted = {text if isinstance(text, str) else tuple(text) for text in written.values()}
    assert compiled == wanted, "run scripts/messages.py"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_have_readable_lines_and_no_inline_code(path):
    text = path.read_text(encoding="utf-8")

    assert [line for line in text.splitlines() if len(line) > LONGEST_LINE] == []
    assert "|safe" not in text
    if "documents" not in path.parts:
        assert not re.search(r"\sstyle=|<style|\son\w+=", text)


# Words that were replaced by what finance people say, and what they were replaced by.
OLD_WORDS = {
    "freiwillig": "optional",
    "Lauf beginnen": "Lauf starten",
    "Das dürfen Sie nicht": "Keine Berechtigung",
    "Hier ist nichts": "Seite nicht gefunden",
    "Zum Anfang": "Zur Startseite",
    "Kundenb": "Kunden",
    "jenseits aller Grenzen": "zu groß",
    "sprengt jeden Rahmen": "zu groß",
    "Arbeiter": "In der Warteschlange",
    "Alle Werte auf dem Weg": "Herkunft",
    "Wirksamer Wert": "Gültiger Wert",
    "Verkäufer": "Rechnungssteller",
    "Rechtlicher Name": "Firma laut Register",
    "Nummer des Kontos": "Kundennummer",
    "Bisherige Bewegungen": "Verlauf der Testuhr",
    "Abrechnungsl": "Rechnungsläufe",
    "PDF laden": "PDF herunterladen",
    "Was die Datei enthält": "Art der Daten",
    "Gutschrift": "Rechnungskorrektur",
    "Teilrechnung": "Auszug",
    "Standard des Unternehmens": "Standard von …",
    "usgestellt": "festgeschrieben",
    "stellen Läufe": "schreiben … fest",
    "MRR eigen": "MRR dieses Kontos",
    "Jahreszeiträume": "Beginn der Jahresperioden",
    "Betrag eingezogen": "Dieses Konto zahlt die Rechnung",
    "Bestellungen auf eigenen": "Eigene Rechnung je Bestellnummer",
    "niemand hat anderes gesetzt": "Standard: das Konto selbst",
    "Konten darunter": "Unterkonten",
    "Geschrieben als": "Format:",
    "Wohlgeformt": "Format gültig",
    "Kein Kunde an der Spitze": "Hauptkunde",
}
OLD_ENGLISH_WORDS = {
    "inalise": "issue",
    "efault of the company": "… default",
    "You may not do this": "You don't have access",
    "Go to the start": "Back to home",
    "claims": "Receivables",
    "on the way up to the company": "Where it comes from",
    "What the file holds": "Data type",
    "Overdue of this": "Of which overdue",
    "well-formed": "format valid",
    "known for today": "only available for today",
    "Written as": "Format:",
    "orders on documents of their own": "Separate invoice per PO",
    "Due soon, due": "Due …",
    "category %": "nothing: it is an internal code",
    "trees have more than": "customer has more",
}


@pytest.mark.parametrize("word", OLD_WORDS)
def test_says_no_old_word_any_more(word):
    texts = catalogue(read_po, "django.po").values()

    assert [text for text in texts if word in str(text)] == []


@pytest.mark.parametrize("word", OLD_ENGLISH_WORDS)
def test_says_no_old_word_in_english_either(word):
    texts = catalogue(read_po, "django.po")

    assert [text for _context, text in texts if word in text] == []
