"""One vocabulary of states: each is set somewhere, has a word, and is decided in one place."""

import inspect
import re
import sys

import pytest
from django.apps import apps
from django.db.models import TextChoices

from accounts.declarations.particulars import KINDS
from accounts.models import Account
from accounts.models.people import StaffRole
from billing_hierarchy.embedded.folders import project_folder
from billing_rules.invoice_states import State
from dashboard.pages.customers.tree_table import STATUSES
from dashboard.pages.runs import page as run_page
from dashboard.pages.runs.status import RUN_STATUSES, steps_of
from invoicing.models import BillingRun, Invoice
from invoicing.words import charges as words
from web.badges import INVOICE_STATES
from web.frame import ROLE_NAMES

SKIPPED = {"tests", "docs", "locale", "static", "scripts", "benchmarks", "findings"}
DECIDE = {
    "billing_rules/invoice_states.py",
    "invoicing/queries/invoice_states.py",
    # What rows must keep to, whoever writes them.
    "invoicing/models/invoices.py",
    # The check of the books counts for itself.
    "invoicing/queries/invariants/documents.py",
    "invoicing/queries/settled_in_sql.py",
}
DUE_AND_TODAY = re.compile(
    r"due_date\s*(?:<|>)"
    r"|(?:<|>)=?\s*\w*\.?\w*due_date"
    r"|due_date__(?:lt|gt)e?\s*=\s*\w*today"
    r"|due_(?:from|to)\s*=\s*\w*\.?today"
    r"|DUE_SOON_DAYS"
)
COMPARED = r"""["')]{0,2}\s*(?:-|[<>=!]=|[<>])\s*(?:F\(["'])?[\w.]*"""
PAID_AND_GROSS = re.compile(
    rf"gross_minor{COMPARED}paid_minor|paid_minor{COMPARED}gross_minor|paid_minor__[gl]te?\b"
)
BY_HAND = re.compile(r"""["'](?:partly_paid|due_soon)["']|[=!]=\s*["']overdue["']""")


def sources():
    for path in sorted(project_folder().glob("[a-z]*/**/*.*")):
        name = path.relative_to(project_folder())
        if path.suffix not in {".py", ".html"} or SKIPPED & {*name.parts[:1]}:
            continue
        if "migrations" not in name.parts:
            yield name.as_posix(), path.read_text(encoding="utf-8")


def found(pattern):
    return [
        f"{name}: {match.group()}"
        for name, text in sources()
        if name not in DECIDE
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize(
    "pattern",
    [DUE_AND_TODAY, PAID_AND_GROSS, BY_HAND],
    ids=["due and today", "paid and gross", "words"],
)
def test_nothing_else_decides_how_it_stands_with_an_invoice(pattern):
    assert found(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        (DUE_AND_TODAY, "if invoice.due_date < today:"),
        (DUE_AND_TODAY, "Q(shown_due_date__lt=today)"),
        (DUE_AND_TODAY, "Q(shown_due_date__gte=today)"),
        (DUE_AND_TODAY, "invoices(actor, due_from=today, today=today)"),
        (DUE_AND_TODAY, "today > invoice.due_date"),
        (PAID_AND_GROSS, "invoice.gross_minor - invoice.paid_minor"),
        (PAID_AND_GROSS, 'F("gross_minor") - F("paid_minor")'),
        (PAID_AND_GROSS, "invoice.paid_minor >= invoice.gross_minor"),
        (BY_HAND, 'status == "overdue"'),
        (BY_HAND, 'return "partly_paid"'),
    ],
)
def test_would_find_who_decides_for_himself(pattern, written):
    assert pattern.search(written)


def statuses():
    for model in apps.get_models():
        if choices := getattr(model, "Status", None):
            for member in choices:
                yield pytest.param(model, member, id=f"{model.__name__}.{member.name}")


@pytest.mark.parametrize(("model", "member"), [*statuses()])
def test_every_stored_status_is_set_somewhere(model, member):
    """By its name in what writes, or as the default of the field."""
    if model._meta.get_field("status").default == member:
        return
    names = [f"{model.__name__}.Status.{member.name}"]
    if model is Invoice:
        names += [f"State.{member.name}"]
    writers = [
        name
        for name, text in sources()
        if re.search(r"/operations/|/tasks|^billing_rules/|/jobs\.py$", name)
        and any(re.search(rf"\b{re.escape(one)}\b", text) for one in names)
    ]

    assert writers, f"nothing sets {names}"


def vocabularies():
    """Yield each enumeration of the models beside the statuses, and how others call it."""
    own = re.compile(r"(?:tenancy|accounts|subscriptions|invoicing)\.models\.\w+")
    for name in sorted(filter(own.fullmatch, sys.modules)):
        for word, one in vars(sys.modules[name]).items():
            if not inspect.isclass(one) or one.__module__ != name:
                continue
            inner = {f"{word}.{key}": value for key, value in vars(one).items()}
            for called, value in {word: one, **inner}.items():
                is_choice = inspect.isclass(value) and issubclass(value, TextChoices)
                if is_choice and not called.endswith(".Status"):
                    yield pytest.param(called, value, id=called)


@pytest.mark.parametrize(("called", "choices"), [*vocabularies()])
def test_every_choice_is_made_by_somebody(called, choices):
    """By its name, or out of all by those who import a file or are given a role."""
    outside = "\n".join(text for name, text in sources() if "/models/" not in name)
    if re.search(rf"\b{re.escape(called)}\.(?:values|choices)\b", outside):
        return

    named = set(re.findall(rf"\b{re.escape(called)}\.([A-Z_]+)\b", outside))
    assert {member.name for member in choices} == named


def test_every_kind_and_status_of_an_account_has_a_word():
    assert {*KINDS} == {*Account.Kind.values}
    assert {*STATUSES} == {*Account.Status.values}
    assert {*ROLE_NAMES} == {*StaffRole.values}


@pytest.mark.parametrize("code", [*run_page._TITLES, *words._WAITS])
def test_every_problem_that_has_a_word_is_noted_by_a_run(code):
    noting = [
        name
        for name, text in sources()
        if "/operations/" in name or "/engine/" in name or name.startswith("billing_rules/")
        if f'"{code}"' in text
    ]

    assert noting


def test_words_and_stored_states_are_those_of_the_rule():
    assert [*INVOICE_STATES] == [*State]
    assert {*Invoice.Status.values} < {*State}
    assert all(str(label) for label, _tone in INVOICE_STATES.values())


def test_every_status_of_a_run_has_a_word_and_a_step_and_no_other_has():
    assert {*RUN_STATUSES} == {*BillingRun.Status.values}
    for status in BillingRun.Status.values:
        assert "now" in {step.state for step in steps_of(BillingRun(status=status))}


def test_tones_of_badges_are_styled():
    styles = (project_folder() / "static/css/components.css").read_text(encoding="utf-8")

    for _label, tone in (*INVOICE_STATES.values(), *RUN_STATUSES.values()):
        assert not tone or f"&.{tone} {{" in styles
