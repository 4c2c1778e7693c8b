"""Every text of every page goes through the catalogue: a made-up language brackets what does."""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import trans_real

from tests.browser.pages import PAGES
from tests.browser.stage import set_stage

OPEN, CLOSE, LONGER = "⟦", "⟧", " ẋẋẋẋ"
SPOKEN = {"alt", "aria-label", "aria-description", "placeholder", "title", "data-label"}
SILENT = {"script", "style", "code", "kbd", "svg", "template"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
"""Elements whose text is for machines, or that is copied to elsewhere."""

CODES = re.compile(r"[A-Z]{2,3}|[A-Za-z_]+/[\w/+-]+")
"""Countries, currencies and time zones to choose from: their names are no texts of ours."""

DATA = re.compile(
    r"""
    Seats\ and\ more|Training|SPRING|Spring\ offer|Goodwill|A\ long\ outage|API-Aufrufe|Aufrufe
    |\b[Cc]alls\b|TEST(?:-Straße\ 1)?|Gruppe\ Nord|Platform|Product|Hof\ 3,\ Bremen
    |\b(?:group|branch|firm)\b(?:\ GmbH)?
    |Firma\ Allein|Ohne\ Vertrag|Gemeinnützige\ Gesellschaft\ .*?KG|Acme|Newcomer|Musterstadt
    |\b(?:Alice|Bob|Dora|Nora|Olga|Rita|Otto\ Operator)\b
    |[\w.+-]+@[\w.-]+|\b[A-Z]{1,4}-?[\d-]+\b|\b[a-z]{2,4}_\w+
    |\d{1,2}\ [A-Z][a-z]{2,8}(?:\ \d{4})?|\b[A-Z][a-z]{2}\ \d{4}\b
    |\b(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b
    |\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?)\b
    |\b(?:Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b
    |Hof\ 3|Bremen|BYLADEM1001|[Ss]eats|\bgruppe\b|Europe/Berlin
    |\b(?:EUR|CHF|USD|UTC|CSV|XLSX|PDF|JSON|API|IBAN|BIC|Ctrl\ ?K|Deutsch|English|EN|DE)\b
    """,
    re.VERBOSE,
)
NAMED_BY_CODE = re.compile("style guide|operators|settings, time zone")
"""Pages that call components, columns of the database and time zones by their own names."""

LETTERS = re.compile(r"[^\W\d_]{2,}")


class Spoken(HTMLParser):
    """Collects the texts of a page that stand in no brackets and are no data."""

    def __init__(self) -> None:
        super().__init__()
        self.bare: list[str] = []
        self._silent: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag, attrs):
        is_code = tag == "option" and CODES.fullmatch(dict(attrs).get("value") or "")
        if (tag in SILENT or self._silent or is_code) and tag not in VOID:
            self._silent.append(tag)
        for name, value in attrs:
            if name in SPOKEN and value and OPEN not in value:
                self._look(value)

    def handle_endtag(self, tag):
        if self._silent and tag not in VOID:
            self._silent.pop()

    def handle_data(self, data):
        if self._silent:
            return
        for part in re.split(f"([{OPEN}{CLOSE}])", data):
            if part in (OPEN, CLOSE):
                self._depth += 1 if part == OPEN else -1
            elif self._depth == 0:
                self._look(part)

    def _look(self, text):
        left = DATA.sub(" ", " ".join(text.split()))
        if LETTERS.search(left):
            self.bare.append(" ".join(text.split()))


@pytest.fixture
def pseudo(monkeypatch):
    """Bracket and lengthen whatever is looked up."""

    def bracketed(message):
        text = message.partition("\x04")[2] or message
        return f"{OPEN}{text}{LONGER}{CLOSE}" if text.strip() else text

    monkeypatch.setattr(
        trans_real.DjangoTranslation, "gettext", lambda self, message: bracketed(message)
    )
    monkeypatch.setattr(
        trans_real.DjangoTranslation,
        "ngettext",
        lambda self, one, many, number: bracketed(one if number == 1 else many),
    )


def test_every_text_can_be_translated(db, pseudo):
    stage, faults = set_stage(), {}
    for entry in PAGES:
        if NAMED_BY_CODE.match(entry.name):
            continue
        client = Client()
        if entry.who:
            client.cookies[settings.SESSION_COOKIE_NAME] = stage.session_of(entry.who)
        spoken = Spoken()
        spoken.feed(client.get(stage.path(entry.url)).content.decode().replace("<wbr>", ""))
        if spoken.bare:
            faults[entry.name] = sorted(set(spoken.bare))

    assert not faults, "\n".join(f"{name}: {texts[:12]}" for name, texts in faults.items())


@pytest.mark.parametrize(
    ("html", "bare"),
    [
        (f"<p>{OPEN}Fine <b>and</b> well{CLOSE}</p>", []),
        ("<p>Forgotten</p>", ["Forgotten"]),
        ('<button aria-label="Forgotten"></button>', ["Forgotten"]),
        ("<p>Gruppe Nord · 23 Nov 2026 · 1,200.00 EUR</p>", []),
    ],
)
def test_finds_what_was_forgotten(html, bare):
    spoken = Spoken()
    spoken.feed(html)

    assert spoken.bare == bare
