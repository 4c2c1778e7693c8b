"""The page of one account: what it is, what it has, what it brings in and owes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.models import Account, SettingName
from accounts.queries import trees
from accounts.queries.merging import merged_into_of
from accounts.queries.paths import path_of
from accounts.queries.responsibilities import Responsibility, responsibilities
from accounts.queries.trees import TreeRow
from billing_rules.tax import vat_id_state
from dashboard.pages.customers.account_facts import further_facts, head_facts, own_records
from dashboard.pages.customers.doors import (
    add_charge_url,
    add_url,
    archive_url,
    edit_url,
    import_url,
    reopen_url,
)
from dashboard.pages.plans.doors import plan_actions, rarer_actions
from dashboard.pages.plans.planned import Planned
from invoicing.models import Invoice
from invoicing.queries.balances import balances
from invoicing.queries.invoices import LATEST_FIRST, invoices
from invoicing.queries.plans.listing import open_plans_beside, plan_read_beside
from invoicing.queries.shares import Share, share_of
from subscriptions.models import Item
from subscriptions.queries.items import items_of
from subscriptions.queries.mrr import mrr_of
from tenancy.ids import key_of, public_id
from web.accounts import (
    TONES,
    account_url,
    invoices_url,
    kind_name,
    steps_to,
    tabs_of,
)
from web.badges import Badge, invoice_badge
from web.naming import Marks
from web.prices import price_amount, price_rhythm
from web.session_checks import staff_only
from web.tables import Amounts
from web.templatetags.figures import quantity
from web.timeline import timeline_of

_MOST_ITEMS: Final = 50
_MOST_CHILDREN: Final = 10
_MOST_PLANS: Final = 10
_LATEST: Final = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A label and an amount at the top of the page."""

    label: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One item of a subscription."""

    url: str
    product: str
    price: str
    quantity: str
    amount: str
    every: str
    since: date
    until: date | None
    next_date: date | None
    bill_to: str


@dataclass(frozen=True, slots=True)
class ChildRow:
    """An account directly below.

    ``share`` is its part of what the account brings in with all below it in the main currency, in
    percent; 0 where it brings in none.
    """

    name: str
    url: str
    kind: str
    mrr: Amounts
    share: int


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One of the latest invoices; ``share_minor`` is the account's, where it is not all of it."""

    id: str
    number: str
    issue_date: date | None
    gross_minor: int
    currency: str
    badge: Badge
    share_minor: int | None = None


@require_safe
@staff_only
def account_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show an account. At most eleven statements beside those of the frame."""
    actor, key, main = request.actor, key_of("acc", account_id), request.tenant.currency
    path = path_of(actor, key, plans=open_plans_beside(actor, limit=_MOST_PLANS))
    account = path[-1]
    row = trees.row_of(actor, account)
    below = trees.children_of(actor, row).rows if row.below else []
    first = below[:_MOST_CHILDREN]
    mrrs = mrr_of(actor, [key, *(child.id for child in first)], actor.today)
    owed = balances(actor, [key], today=actor.today)[key]
    held = responsibilities(actor, path, (), actor.today)
    found = list(invoices(actor, within=key, today=actor.today).order_by(*LATEST_FIRST)[:_LATEST])
    responsible = held.by_account[key]
    share = Share()
    if responsible.bill_to_id != key:
        share = share_of(actor, key, [one.pk for one in found], today=actor.today)
    items = items_of(actor, key, actor.today, limit=_MOST_ITEMS)
    currency = str(held.settings.value(key, SettingName.CURRENCY) or "")
    context = {
        "account": account,
        "steps": steps_to(path),
        "merged_into": merged_into_of(actor, account),
        "edit_url": edit_url(actor, account),
        "add_url": add_url(actor, account),
        "charge_url": add_charge_url(actor, account),
        "file_url": account_url(key, "subtree_file"),
        "import_url": import_url(actor, account),
        "archive_url": archive_url(actor, account),
        "reopen_url": reopen_url(actor, account),
        "plan_actions": plan_actions(actor, account),
        "rarer_actions": rarer_actions(actor, account, is_top=row.parent_id is None),
        "planned": [Planned.of(plan_read_beside(account, one)) for one in vars(account)["plans"]],
        "tabs": tabs_of(key, "page"),
        "badges": [*_badges(account), *_other_currencies(items, currency)],
        "figures": [
            Figure(_("MRR of this account"), Amounts(mrrs[key].own, main)),
            Figure(_("MRR with sub-accounts"), Amounts(mrrs[key].tree, main)),
            Figure(_("Open with sub-accounts"), Amounts(owed.tree_open, main)),
            Figure(_("Overdue with sub-accounts"), Amounts(owed.tree_overdue, main, "negative")),
            *_shares(share, responsible, key, main),
        ],
        "head_facts": head_facts(path, row.below, responsible, held.settings, mrrs[key]),
        "facts": further_facts(account),
        "own": own_records(account, held.settings),
        "upcoming_url": account_url(key, "upcoming"),
        "items": [_item(item) for item in items],
        "children": [_child(child, mrrs[child.id].tree, mrrs[key].tree, main) for child in first],
        "more_children": _more(below),
        "tree_url": account_url(key, "tree"),
        "invoices": [
            _invoice(invoice, actor.today, share.by_invoice.get(invoice.pk)) for invoice in found
        ],
        "invoices_url": invoices_url(key),
        "timeline": timeline_of(actor, key)[:_LATEST],
        "scope_name": account.name,
    }
    return render(request, "customers/page.html", context)


def _shares(share: Share, responsible: Responsibility, key: UUID, main: str) -> Iterator[Figure]:
    """Yield what of open invoices to another account is for this one, where others are invoiced."""
    if responsible.bill_to_id == key:
        return
    marks = Marks()
    bill_to = public_id("acc", responsible.bill_to_id)
    name = {"name": marks.of({"id": bill_to, "name": responsible.bill_to_name})}
    yield Figure(
        marks.linked(_("Share of open invoices to %(name)s") % name), Amounts(share.open, main)
    )
    yield Figure(
        marks.linked(_("Share of overdue invoices to %(name)s") % name),
        Amounts(share.overdue, main, "negative"),
    )


def _child(row: TreeRow, own: Mapping[str, int], whole: Mapping[str, int], main: str) -> ChildRow:
    share = round(100 * own.get(main, 0) / whole[main]) if whole.get(main) else 0
    return ChildRow(row.name, account_url(row.id), kind_name(row.kind), Amounts(own, main), share)


def _badges(account: Account) -> list[Badge]:
    badges = [Badge(kind_name(account.kind), TONES.get(account.kind, ""))]
    if account.merged_into_id is not None:
        badges.append(Badge(_("Merged"), "warn"))
    elif account.status == Account.Status.ARCHIVED:
        badges.append(Badge(_("Archived"), "warn"))
    if account.vat_id:
        match vat_id_state(account.country, account.postal_code, account.vat_id):
            case "valid":
                badges.append(Badge(_("VAT ID: format valid (not checked with VIES)"), "ok"))
            case "invalid":
                badges.append(Badge(_("VAT ID has a mistake"), "bad"))
    return badges


def _other_currencies(items: Sequence[Item], currency: str) -> Iterator[Badge]:
    """Warn of what is sold in another currency than the account has: it is invoiced in that."""
    others = sorted({item.price.currency for item in items} - {currency})
    if others and currency:
        values = {"others": ", ".join(others), "currency": currency}
        yield Badge(_("Priced in %(others)s, not in %(currency)s") % values, "warn")


def _item(item: Item) -> SubscriptionRow:
    subscription = item.subscription
    override = subscription.override_bill_to
    return SubscriptionRow(
        url=reverse("subscriptions:page", args=[subscription.public_id]),
        product=item.price.product.name,
        price=item.price.name,
        quantity=quantity(item.quantity),
        amount=price_amount(item.price),
        every=price_rhythm(item.price),
        since=subscription.start_date,
        until=subscription.end_date,
        next_date=item.next_action_date,
        bill_to=override.name if override else "",
    )


def _more(children: Sequence[TreeRow]) -> str:
    """Return what leads to the children that are not shown, empty where all are."""
    count = children[0].siblings if children else 0
    if count <= _MOST_CHILDREN:
        return ""
    return _("Show all %(count)s in the tree") % {"count": quantity(count)}


def _invoice(invoice: Invoice, today: date, share_minor: int | None) -> InvoiceRow:
    return InvoiceRow(
        id=invoice.public_id,
        number=invoice.number or _("Draft"),
        issue_date=invoice.issue_date,
        gross_minor=invoice.gross_minor,
        currency=invoice.currency,
        badge=invoice_badge(invoice, today),
        share_minor=None if share_minor == invoice.gross_minor else share_minor,
    )
