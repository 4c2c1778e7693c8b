"""The cards of an org chart: what each account's says, and the lines between them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from accounts.queries.responsibilities import Responsibility
from accounts.queries.trees import TreeRow
from dashboard.pages.customers.chart_address import Asked
from dashboard.pages.customers.chart_reading import DEEPEST, OF_THE_TOP
from subscriptions.queries.mrr import Mrr
from tenancy.ids import public_id
from web.accounts import account_url, kind_name
from web.charts.cards import Card, Fold, Pill
from web.charts.org_chart import Line, Tie
from web.tables import Amounts
from web.tables.columns import NOTHING
from web.templatetags.figures import quantity


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the accounts that are drawn: who answers for them, what they bring in."""

    responsible: Mapping[UUID, Responsibility]
    mrrs: Mapping[UUID, Mrr]
    main: str


def cards(rows: Sequence[TreeRow], known: Known, asked: Asked) -> list[Card]:
    """Return the cards of rows, depth first, with one for those that are not drawn.

    Args:
        rows: depth first, the top before all others.
        known: what the cards say.
        asked: what the reader asked for, which the addresses on the cards carry on.
    """
    below: dict[UUID | None, list[TreeRow]] = defaultdict(list)
    for row in rows[1:]:
        below[row.parent_id].append(row)
    payers = {one.payer_id for one in known.responsible.values()}
    return list(_branch(rows[0], rows[0], below, known, payers, asked))


def ties(rows: Sequence[TreeRow], known: Known) -> list[Tie]:
    """Return who is invoiced for whom, and who pays for whom, among the accounts of rows.

    A line leads to the account above as long as that is invoiced to the same: so all of them meet,
    and none runs across a card.
    """
    drawn = {row.id for row in rows}
    found = []
    for row in rows:
        one = known.responsible[row.id]
        if one.bill_to_id != row.id and one.bill_to_id in drawn:
            found.append((Line.INVOICED, row.id, _next_to(one.bill_to_id, row, known)))
        elif one.bill_to_id == row.id and one.payer_id != row.id and one.payer_id in drawn:
            found.append((Line.PAYS, row.id, one.payer_id))
    return [Tie(line, public_id("acc", start), public_id("acc", end)) for line, start, end in found]


def _next_to(bill_to_id: UUID, row: TreeRow, known: Known) -> UUID:
    """Return the account above a row where that is invoiced to the same, else the recipient."""
    above = known.responsible.get(row.parent_id) if row.parent_id else None
    if row.parent_id and above and above.bill_to_id == bill_to_id:
        return row.parent_id
    return bill_to_id


def _branch(
    row: TreeRow,
    top: TreeRow,
    below: Mapping[UUID | None, Sequence[TreeRow]],
    known: Known,
    payers: set[UUID],
    asked: Asked,
) -> Iterator[Card]:
    yield _card(row, top, known, payers, asked)
    children = below.get(row.id, ())
    if children and children[0].position > 1:
        yield _others(row, top, children[0].position - 1, asked, is_before=True)
    for child in children:
        yield from _branch(child, top, below, known, payers, asked)
    if children and (left := children[-1].siblings - children[-1].position):
        yield _others(row, top, left, asked, start=children[-1].position)


def _card(row: TreeRow, top: TreeRow, known: Known, payers: set[UUID], asked: Asked) -> Card:
    one, mrr = known.responsible[row.id], Amounts(known.mrrs[row.id].tree, known.main)
    kind = kind_name(row.kind)
    label = _(
        "%(name)s, %(kind)s. MRR with sub-accounts: %(mrr)s. Invoiced to: %(bill_to)s. "
        "Paid by: %(payer)s. Sub-accounts: %(below)s."
    ) % {
        "name": row.name,
        "kind": kind,
        "mrr": mrr.all or NOTHING,
        "bill_to": one.bill_to_name,
        "payer": one.payer_name,
        "below": quantity(row.below),
    }
    return Card(
        key=public_id("acc", row.id),
        above="" if row.id == top.id or row.parent_id is None else public_id("acc", row.parent_id),
        url=account_url(row.id),
        name=row.name,
        label=label,
        level=row.level - top.level + 1,
        kind=_("%(kind)s, archived") % {"kind": kind} if _is_archived(row) else kind,
        note=" ".join(part for part in (mrr.more, mrr.shown) if part and part != NOTHING),
        pills=_pills(row, one, payers),
        fold=_fold(row, top, asked) if row.below else None,
        position=row.position,
        siblings=row.siblings,
        is_top=row.id == top.id,
        is_quiet=_is_archived(row),
    )


def _is_archived(row: TreeRow) -> bool:
    return bool(row.status == Account.Status.ARCHIVED)


def _pills(row: TreeRow, one: Responsibility, payers: set[UUID]) -> list[Pill]:
    pays = [Pill(_("Payer"), "plum")] if row.id in payers else []
    if one.bill_to_id == row.id:
        return [Pill(_("Own invoice"), "accent"), *pays]
    return [*pays, Pill(f"→ {one.bill_to_name}", "plain")]


def _fold(row: TreeRow, top: TreeRow, asked: Asked) -> Fold:
    names = {"name": row.name, "count": quantity(row.below)}
    if row.is_open:
        label = _("Close the accounts below %(name)s") % names
        return Fold("\N{MINUS SIGN}", label, asked.folded(row.id, is_open=False).url(), True)
    sign = f"+{quantity(row.below)}"
    if row.level - top.level >= DEEPEST:
        label = _("Go on from %(name)s, sub-accounts: %(count)s") % names
        return Fold(f"{sign} ▸", label, asked.begun_at(row.id).url(), False)
    label = _("Open the accounts below %(name)s: %(count)s") % names
    return Fold(f"{sign} ▸", label, asked.folded(row.id, is_open=True).url(), False)


def _others(
    row: TreeRow,
    top: TreeRow,
    count: int,
    asked: Asked,
    *,
    start: int = 0,
    is_before: bool = False,
) -> Card:
    """Return the card that stands for children which are not drawn, and leads to them."""
    if is_before:
        name = ngettext("%(count)s account before", "%(count)s accounts before", count)
        where = max(0, asked.folds.start - OF_THE_TOP)
    else:
        name = ngettext("+ %(count)s more", "+ %(count)s more", count)
        where = start
    text = name % {"count": quantity(count)}
    label = _("%(others)s below %(name)s") % {"others": text, "name": row.name}
    return Card(
        key=f"{public_id('acc', row.id)}-{'before' if is_before else 'more'}",
        above=public_id("acc", row.id),
        url=asked.begun_at(row.id, where).url(),
        name=text,
        label=label,
        level=row.level - top.level + 2,
        stands_for_others=True,
    )
