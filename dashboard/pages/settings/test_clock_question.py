"""What a move of the test clock would bring, asked before it is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.middleware import ActorRequest
from dashboard.pages.runs.preview import accounts_text, lines_text, sums_text
from invoicing.operations.runs import RunPreview, preview_run
from invoicing.queries.run_preview import next_due_date
from web.templatetags.figures import date_text, quantity

FAR_DAYS: Final = 62
"""Further ahead more than the next periods fall due, and the figures are an estimate."""


@dataclass(frozen=True, slots=True)
class Question:
    """A move that somebody has to confirm: the day, and what is known of it beforehand."""

    to: str
    title: str
    sentences: tuple[str, ...]


def question_of(request: ActorRequest, start: date, to: date) -> Question:
    """Return what moving the clock from a day to another would bring.

    The figures are those of one run on the last day, as the page of a new run shows them; of many
    customers those that could be counted in two seconds. Nothing is locked or stored.
    """
    days = (to - start).days
    title = ngettext(
        "Move the clock by %(days)s day, to %(date)s?",
        "Move the clock by %(days)s days, to %(date)s?",
        days,
    ) % {"days": quantity(days), "date": date_text(to)}
    due = next_due_date(request.actor)
    if due is None or due > to:
        nothing = _("Nothing falls due until then: no run is made and no invoice issued.")
        return Question(to.isoformat(), title, (nothing,))
    found = preview_run(
        request.actor,
        run_date=to,
        within=None,
        tenant=request.tenant,
        now=timezone.now(),
        issue=True,
    )
    first = _("The first billing run is on %(date)s; each day with something due has its own.")
    sentences = (first % {"date": date_text(max(due, start))}, *_sentences(found, days))
    return Question(to.isoformat(), title, sentences)


def _sentences(found: RunPreview, days: int) -> Iterator[str]:
    if found.documents:
        yield ngettext(
            "%(lines)s for %(accounts)s are issued on at least %(count)s invoice, %(sums)s net.",
            "%(lines)s for %(accounts)s are issued on at least %(count)s invoices, %(sums)s net.",
            found.documents,
        ) % {
            "lines": lines_text(found.lines),
            "accounts": accounts_text(found.accounts),
            "count": quantity(found.documents),
            "sums": sums_text(found.net_minor),
        }
    if found.held:
        yield ngettext(
            "%(count)s line waits; the run says for what.",
            "%(count)s lines wait; the run says for what.",
            found.held,
        ) % {"count": quantity(found.held)}
    if not found.is_whole:
        yield _("Counted so far: %(done)s of %(total)s customers.") % {
            "done": quantity(found.done),
            "total": quantity(found.trees),
        }
    if found.too_large:
        yield _("Customers that are too large to be counted while you wait are left out.")
    if days > FAR_DAYS:
        yield _("So far ahead this is an estimate: settings and prices of later days may differ.")
