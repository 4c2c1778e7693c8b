"""Signs that no installed font has keep a document from being made; all others are shown."""

import io
import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from pypdf import PdfReader

from invoicing.documents.making import get_pdf
from invoicing.engine import glyphs
from invoicing.engine.glyphs import missing_signs
from invoicing.models import Charge, Invoice, NumberSeries, RunProblem
from invoicing.words import describe_problem
from tests.world import NOW, account, price, subscription

SCRIPTS = {
    "Chinese": "北京科技有限公司",
    "Japanese": "東京システム株式会社ひらがな",
    "Korean": "서울소프트주식회사",
    "Thai": "บริษัทไทยซอฟต์",
    "Hindi": "मुंबईसेवा",
    "Arabic": "شركةالبرمجيات",
    "Hebrew": "חברתתוכנה",
    "Greek": "ΕλληνικήΕταιρεία",
    "Cyrillic": "Ромашка",
    "emoji": "🚀",
}
LACKING = "北🚀"


@pytest.fixture
def few_fonts(monkeypatch):
    """Let some signs be unknown, as on a machine without their fonts."""
    monkeypatch.setattr(glyphs, "_covered", dict.fromkeys(LACKING, False))


@pytest.mark.parametrize("name", SCRIPTS.values(), ids=SCRIPTS)
def test_the_installed_fonts_show_each_script(name):
    assert missing_signs([name, "Müller & Söhne, 50 €"]) == ""


def test_names_each_sign_that_no_font_has_once():
    """Code points that stand for nothing."""
    assert missing_signs(["a\U00050000", "\U00050000b\ufdd0"]) == "\U00050000\ufdd0"


_ASK = """
import json, sys
from invoicing.engine.glyphs import missing_signs
print(json.dumps([missing_signs([text]) for text in json.load(sys.stdin)]))
"""


def asked_with(config, tmp_path):
    """Ask another process that sees the fonts of a configuration alone."""
    file = tmp_path / "fonts.conf"
    file.write_text(f"<fontconfig>{config}<cachedir>{tmp_path}</cachedir></fontconfig>")
    environment = {
        **os.environ,
        "FONTCONFIG_FILE": str(file),
        "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK],
        input=json.dumps(["Ab", "Müller", SCRIPTS["Chinese"]]),
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_machine_with_fewer_fonts_says_what_it_lacks(tmp_path):
    few = "<dir>/usr/share/fonts/truetype/dejavu</dir>"

    assert asked_with(few, tmp_path) == ["", "", SCRIPTS["Chinese"]]


def test_a_document_with_boxes_is_not_made(vendor, few_fonts):
    vendor.has("accounts", account("A", name="Fuchs"), account("B", "A", name="北 Filiale"))
    vendor.has("accounts", account("C"))
    vendor.has("prices", price("desk", "9.00"), price("rocket", "5.00", name="🚀 Start"))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "desk", "2026-11-01"),
        subscription("S2", "B", "rocket", "2026-11-01"),
        subscription("S3", "C", "desk", "2026-11-01"),
    )

    report = vendor.run("2026-11-23")

    assert len(report.invoice_ids) == 1
    with vendor.seen():
        found = {
            (problem.code, problem.account.external_id, problem.params["signs"])
            for problem in RunProblem.objects.select_related("account")
        }
        sentences = " ".join(map(describe_problem, RunProblem.objects.select_related("account")))
    assert found == {("glyphs_missing", "A", "🚀"), ("glyphs_missing", "B", "北")}
    assert "these signs of “北 Filiale”: 北." in sentences
    with vendor.seen():
        assert Invoice.objects.get().bill_to.external_id == "C"
        assert NumberSeries.objects.get().last_number == 1
        waiting = Charge.objects.filter(status="pending")
        assert {charge.reason["problem"] for charge in waiting} == {"glyphs_missing"}


def test_is_made_as_soon_as_the_fonts_are_there(vendor, monkeypatch):
    vendor.has("accounts", account("A", name="北京", legal_name="北京 GmbH 🚀"))
    vendor.has("prices", price("desk", "9.00", name="डेस्क ソフト"))
    vendor.has("subscriptions", subscription("S1", "A", "desk", "2026-11-01"))
    with monkeypatch.context() as few:
        few.setattr(glyphs, "_covered", dict.fromkeys(LACKING, False))
        assert not vendor.run("2026-11-23").invoice_ids

    (invoice_id,) = vendor.run("2026-11-23").invoice_ids

    content = get_pdf(vendor.actor, invoice_id, now=NOW).content
    text = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "北京 GmbH" in text
    assert "ソフト" in text
