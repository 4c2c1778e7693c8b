"""What a run would take, before it is started or approved."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, SettingName
from accounts.queries.effective_settings import settings_of
from invoicing.engine.reading_charges import ON_NO_DOCUMENT, on_no_document
from invoicing.models import BillingRun, Charge
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class NextNumbers:
    """The numbers that the drafts of one seller will get, and with which date."""

    seller: str
    count: int
    first: str
    last: str
    day: date


_DATED = """
    SELECT {wanted} FROM (
        SELECT valid_from, valid_to FROM accounts_settinginterval
        WHERE tenant_id = %(tenant)s AND (valid_from > %(after)s OR valid_to > %(after)s)
        UNION ALL
        SELECT valid_from, valid_to FROM accounts_placement
        WHERE tenant_id = %(tenant)s AND (valid_from > %(after)s OR valid_to > %(after)s)
        UNION ALL
        SELECT valid_from, valid_to FROM accounts_taxrate
        WHERE tenant_id = %(tenant)s AND (valid_from > %(after)s OR valid_to > %(after)s)
    ) AS dated, LATERAL (VALUES (valid_from), (valid_to)) AS days (day)
    WHERE day > %(after)s
"""

_WAITING = f"tenant_id = %(tenant)s AND status = 'pending' AND {ON_NO_DOCUMENT}"
_QUEUES = (
    ("next_action_date", "subscriptions_item", "tenant_id = %(tenant)s"),
    ("invoice_on", "invoicing_charge", f"{_WAITING} AND NOT is_held"),
    ("held_until", "invoicing_charge", f"{_WAITING} AND is_held"),
)


def _first_in_queues(condition: str) -> str:
    """Return SQL for the first day of each queue that keeps a condition, by commas.

    Each is the first entry of an index.
    """
    return ", ".join(
        f"(SELECT {day} FROM {table} WHERE {which} AND {day} {condition} ORDER BY {day} LIMIT 1)"  # noqa: S608
        for day, table, which in _QUEUES
    )


_FIRST_DUE = f"SELECT least({_first_in_queues('IS NOT NULL')})"
# What could not be billed stands in the queues still; it is due when something else holds.
_NEXT_DUE = f"""
    SELECT least({_first_in_queues("> %(after)s")}, CASE
        WHEN least({_first_in_queues("<= %(after)s")}) IS NOT NULL
        THEN ({_DATED.format(wanted="min(day)")})
    END)
"""


def next_due_date(actor: Actor, *, after: date | None = None) -> date | None:
    """Return the next day on which a run has something to take, None if there is none.

    One statement, made of first entries of indexes and of what is short. What is held back is
    taken from the day on which that ends.

    Args:
        actor: who asks.
        after: the day up to which everything has been tried. What could not be billed then waits
            for a setting, a place in the tree or a tax rate that begins or ends later; it is not
            due again every day. None: nothing has been tried.

    Raises:
        Forbidden: the actor may neither see runs nor move the clock.
    """
    if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
        access.require_everywhere(actor, Action.VIEW_RUNS)
    statement = _FIRST_DUE if after is None else _NEXT_DUE
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": actor.tenant_id, "after": after})
        found: date | None = cursor.fetchone()[0]
    return found


def _waiting(actor: Actor) -> list[tuple[QuerySet[Any], str]]:
    """Return the charges that are on no document, each kind with the day it is waiting for."""
    waiting = on_no_document(Charge.objects.filter(tenant_id=actor.tenant_id, status="pending"))
    return [
        (waiting.filter(is_held=False), "invoice_on"),
        (waiting.filter(is_held=True), "held_until"),
    ]


def waiting_days(actor: Actor, *, until: date) -> set[date]:
    """Return the days up to one on which charges that wait come to a run. Two statements.

    Raises:
        Forbidden: the actor may neither see runs nor move the clock.
    """
    if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
        access.require_everywhere(actor, Action.VIEW_RUNS)
    found: set[date] = set()
    for queue, name in _waiting(actor):
        days = queue.filter(**{f"{name}__lte": until}).order_by().values_list(name, flat=True)
        found.update(days.distinct())
    return found


_CHANGE_DAYS = _DATED.format(wanted="DISTINCT day") + " AND day <= %(until)s"


def change_days(actor: Actor, *, after: date, until: date) -> set[date]:
    """Return the days on which something that decides about billing begins or ends. One statement.

    Args:
        actor: who asks.
        after: days after this one.
        until: and up to this one.

    Raises:
        Forbidden: the actor may neither see runs nor move the clock.
    """
    if not access.allows_everywhere(actor, Action.MOVE_CLOCK):
        access.require_everywhere(actor, Action.VIEW_RUNS)
    values: dict[str, Any] = {"tenant": actor.tenant_id, "after": after, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE_DAYS, values)
        return {day for (day,) in cursor.fetchall()}


def bill_to_above(actor: Actor, within: UUID, day: date) -> Account | None:
    """Return the account outside of a subtree that the subtree's top is invoiced through.

    A run that keeps to the subtree bills nothing of it then. None where the top is invoiced inside
    of it. Seven statements.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    bill_to_id = settings_of(actor, within, day)[SettingName.BILL_TO].value
    inside = tree.lies_below(actor.tenant_id, [within])
    found = Account.objects.filter(tenant_id=actor.tenant_id, pk=bill_to_id)
    return found.exclude(inside).first()


_NEXT = """
    SELECT seller.name, seller.number_format, count(*), coalesce(max(series.last_number), 0),
        day.issue
    FROM invoicing_invoice AS invoice
    JOIN accounts_seller AS seller
        ON seller.tenant_id = invoice.tenant_id AND seller.id = invoice.seller_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN EXISTS (
            SELECT FROM invoicing_numberseries AS gone_on
            WHERE gone_on.tenant_id = invoice.tenant_id AND gone_on.seller_id = invoice.seller_id
            AND gone_on.kind = 'invoice' AND gone_on.last_issue_date > %(date)s
        ) THEN %(today)s ELSE %(date)s END AS issue
    ) AS day
    LEFT JOIN invoicing_numberseries AS series
        ON series.tenant_id = invoice.tenant_id AND series.seller_id = invoice.seller_id
        AND series.kind = 'invoice' AND series.year = extract(year FROM day.issue)
    WHERE invoice.tenant_id = %(tenant)s AND invoice.run_id = %(run)s
    AND invoice.status = 'to_approve'
    AND (%(ids)s::uuid[] IS NULL OR invoice.id = ANY (%(ids)s::uuid[]))
    GROUP BY seller.id, seller.name, seller.number_format, day.issue
    ORDER BY seller.name, seller.id
"""


def next_numbers(
    actor: Actor, run: BillingRun, *, today: date, only: Collection[UUID] | None = None
) -> list[NextNumbers]:
    """Return the numbers that issuing a run's drafts, or some of them, would take now.

    One statement.

    Args:
        actor: who asks.
        run: the run.
        today: the tenant's date: what comes late is issued with it.
        only: these drafts; None for all.

    Source: docs/billing-rules.md, R6, R28.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    values: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "run": run.pk,
        "date": run.date,
        "today": today,
        "ids": None if only is None else [str(key) for key in only],
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, values)
        rows = cursor.fetchall()
    return [
        NextNumbers(
            name,
            count,
            text.format(year=day.year, number=last + 1),
            text.format(year=day.year, number=last + count),
            day,
        )
        for name, text, count, last, day in rows
    ]
