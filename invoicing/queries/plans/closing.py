"""What hangs on an account that is to be closed."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account, SettingInterval
from accounts.queries.dated import holding_on
from invoicing.models import ChangePlan, Charge
from invoicing.queries.plans.documents import drafts_of, unpaid_of
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import REFERENCES
from subscriptions.models import Subscription
from tenancy.errors import Conflict, FieldError


class AccountInUse(Conflict):
    """Something hangs on the account; ``errors`` list it."""

    code = "account_in_use"
    message = gettext_lazy("%(account)s cannot be closed: something still hangs on it.")


def require_unused(standing: Standing) -> None:
    """Return if nothing hangs on the account that a plan closes. At most six statements.

    Raises:
        AccountInUse: see its text.
    """
    wanted = standing.wanted
    if wanted.kind != ChangePlan.Kind.CLOSING or wanted.reopens:
        return
    errors = [*_what_hangs(standing)]
    if errors:
        raise AccountInUse(account=standing.accounts[wanted.account_id].name, errors=errors)


def _what_hangs(standing: Standing) -> Iterator[FieldError]:
    wanted, actor = standing.wanted, standing.actor
    subject = wanted.account_id
    children = [
        key
        for key, up in standing.parents_after.items()
        # What was archived, as a duplicate that was merged, keeps nobody from closing.
        if up == subject and standing.accounts[key].status == Account.Status.ACTIVE
    ]
    yield from _said(
        "children",
        len(children),
        ngettext("%(count)s account stands below it.", "%(count)s accounts stand below it.",
                 len(children)),
    )  # fmt: skip
    running = Subscription.objects.filter(
        Q(end_date=None) | Q(end_date__gt=wanted.day),
        tenant_id=actor.tenant_id,
        account_id=subject,
    ).count()
    yield from _said(
        "subscriptions",
        running,
        ngettext("%(count)s subscription runs.", "%(count)s subscriptions run.", running),
    )
    charges = Charge.objects.filter(
        Q(account_id=subject) | Q(bill_to_id=subject) | Q(payer_id=subject),
        tenant_id=actor.tenant_id,
        status=Charge.Status.PENDING,
    ).count()
    yield from _said(
        "charges",
        charges,
        ngettext("%(count)s charge is on no invoice yet.",
                 "%(count)s charges are on no invoice yet.", charges),
    )  # fmt: skip
    pointing = SettingInterval.objects.filter(
        holding_on(actor, wanted.day), name__in=REFERENCES, target_id=subject
    ).exclude(account_id=subject)
    count = pointing.count() + (
        Subscription.objects.filter(
            Q(end_date=None) | Q(end_date__gt=wanted.day),
            tenant_id=actor.tenant_id,
            override_bill_to_id=subject,
        )
        .exclude(account_id=subject)
        .count()
    )
    yield from _said(
        "settings",
        count,
        ngettext("%(count)s other account is invoiced to it or paid for by it.",
                 "%(count)s other accounts are invoiced to it or paid for by it.", count),
    )  # fmt: skip
    drafts = drafts_of(standing, only=[subject])
    yield from _said(
        "drafts",
        drafts,
        ngettext("It is on %(count)s draft.", "It is on %(count)s drafts.", drafts),
    )
    unpaid = sum(row["count"] for row in unpaid_of(standing, only=[subject]))
    yield from _said(
        "unpaid",
        unpaid,
        ngettext("%(count)s of its invoices is unpaid.", "%(count)s of its invoices are unpaid.",
                 unpaid),
    )  # fmt: skip


def _said(code: str, count: int, sentence: str) -> Iterator[FieldError]:
    if count:
        yield FieldError(code, sentence % {"count": count})
