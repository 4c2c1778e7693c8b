"""The contract terms of a subscription in words."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import access
from accounts.access import Action
from billing_rules.contract_terms import ContractTerms
from subscriptions.models import ContractSource, Subscription
from subscriptions.queries.contracts import default_contract_of, standing_of
from tenancy.actor import Actor
from tenancy.formats import date_text, period_text
from web.page_heads import Fact


def contract_facts(found: Subscription, today: date, origin: str = "") -> list[Fact]:
    """Return how a subscription is bound in words, nothing where it may end on any day.

    ``origin`` says which defaults they are, if that is known.
    """
    standing = standing_of(found, today)
    if standing is None:
        return []
    terms, term = standing.terms, standing.term
    facts = []
    if terms.minimum_months is not None:
        facts.append(Fact(_("Minimum term"), months_text(terms.minimum_months)))
        facts.append(Fact(_("After the term"), renewal_text(terms)))
    facts.append(Fact(_("Notice period"), notice_text(terms)))
    if term is not None:
        facts.append(Fact(_("Running term"), period_text(term.start, term.end)))
    if standing.renews_on is not None:
        facts.append(Fact(_("Next renewal"), date_text(standing.renews_on)))
    if found.end_date is not None:
        facts.append(Fact(_("First day no longer served"), date_text(found.end_date)))
    elif standing.earliest_end is not None:
        facts.append(Fact(_("Can end on"), date_text(standing.earliest_end)))
    if standing.notice_deadline is not None:
        facts.append(Fact(_("Notice until"), date_text(standing.notice_deadline)))
    if standing.source:
        facts.append(Fact(_("Terms come from"), origin or _source_text(standing.source)))
    return facts


def origin_of_default(actor: Actor, made: Subscription) -> str:
    """Return whose defaults bind what is about to begin, empty where no defaults do.

    Four statements.
    """
    if made.contract_source != ContractSource.DEFAULT:
        return ""
    default = default_contract_of(actor, made.account, made.start_date)
    keys = {key for key in default.origins.values() if key is not None}
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=keys)
    names = list(seen.order_by("sort_key", "pk").values_list("name", flat=True))
    if len(keys) < len(set(default.origins.values())):
        names.append(_("the company's defaults"))
    return ", ".join(names)


def _source_text(source: str) -> str:
    texts = {
        ContractSource.OWN: _("agreed for this subscription"),
        ContractSource.PLAN: _("the plan"),
        ContractSource.DEFAULT: _("the defaults of the account when it began"),
    }
    return texts[ContractSource(source)]


def months_text(months: int) -> str:
    """Return a length in months or, where that is whole, in years."""
    years, rest = divmod(months, 12)
    if rest:
        return ngettext("%(count)s month", "%(count)s months", months) % {"count": months}
    return ngettext("%(count)s year", "%(count)s years", years) % {"count": years}


def renewal_text(terms: ContractTerms) -> str:
    """Return what happens after a term."""
    if terms.renewal_months is None:
        return _("ends")
    return _("renews by %(length)s") % {"length": months_text(terms.renewal_months)}


def notice_text(terms: ContractTerms) -> str:
    """Return how long before an end notice has to be given."""
    months, days = terms.notice_months, terms.notice_days
    in_days = ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
    if not months:
        return in_days if days else _("none")
    in_months = ngettext("%(count)s month", "%(count)s months", months) % {"count": months}
    if not days:
        return in_months
    return _("%(months)s and %(days)s") % {"months": in_months, "days": in_days}
