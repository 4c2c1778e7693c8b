"""What a run would draft, in sentences; of many customer trees a part, and where it goes on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.middleware import ActorRequest
from invoicing.operations.runs import RunPreview, preview_run
from invoicing.queries import run_preview
from invoicing.queries.previewed_run import MOST_ACCOUNTS
from tenancy.formats import date_text
from tenancy.ids import public_id
from web.templatetags.figures import money, quantity

FAR_AHEAD: Final = timedelta(days=62)
"""A sandbox may be billed ahead of its clock; further than this is asked about."""
_SALT: Final = "run-preview"
_SO_FAR: Final = "so_far"


@dataclass(frozen=True, slots=True)
class Preview:
    """What the form's date and account would bring.

    Attributes:
        sentences: what is known so far.
        warning: why nothing of a subtree is billed, empty where it is.
        further: the query of the next part, empty where nothing is left.
        ahead: the day that has to be confirmed because it lies far ahead, empty for others.
        ahead_text: the question; ``is_confirmed`` whether it is answered.
    """

    sentences: tuple[str, ...] = ()
    warning: str = ""
    further: str = ""
    ahead: str = ""
    ahead_text: str = ""
    is_confirmed: bool = False


def preview_of(request: ActorRequest, day: date, within: UUID | None) -> Preview:
    """Return the preview of a run for a day, from where the request says that it stands."""
    actor, stored = request.actor, _so_far(request)
    found = preview_run(
        actor,
        run_date=day,
        within=within,
        tenant=request.tenant,
        now=timezone.now(),
        so_far=RunPreview.read(stored) if stored else None,
    )
    return Preview(
        tuple(_sentences(found, day)),
        "" if within is None else _warning(request, day, within),
        "" if found.is_whole else _further(found, day, within),
        day.isoformat() if is_far_ahead(request, day) else "",
        _ahead_text(request, day),
        is_confirmed(request, day),
    )


def is_far_ahead(request: ActorRequest, day: date) -> bool:
    """Return whether a date lies so far ahead of the clock that somebody has to confirm it.

    Live tenants are never billed ahead; the run refuses that itself.
    """
    return request.tenant.is_sandbox and day > request.actor.today + FAR_AHEAD


def is_confirmed(request: ActorRequest, day: date) -> bool:
    """Return whether this very date was confirmed."""
    values = request.POST if request.method == "POST" else request.GET
    return values.get("ahead") == day.isoformat()


def _ahead_text(request: ActorRequest, day: date) -> str:
    days = (day - request.actor.today).days
    text = ngettext(
        "Yes, bill everything due up to %(date)s, %(days)s day ahead of the test clock.",
        "Yes, bill everything due up to %(date)s, %(days)s days ahead of the test clock.",
        days,
    )
    return text % {"date": date_text(day), "days": quantity(days)}


def _so_far(request: ActorRequest) -> Mapping[str, Any] | None:
    """Return what the part before has left; nothing where it was not ours."""
    try:
        found = signing.loads(request.GET.get(_SO_FAR, ""), salt=_SALT, max_age=3_600)
    except signing.BadSignature:
        return None
    is_same = found["of"] == [request.GET.get("date"), request.GET.get("account", "")]
    return found["preview"] if is_same else None


def _further(found: RunPreview, day: date, within: UUID | None) -> str:
    account = "" if within is None else public_id("acc", within)
    so_far = {"of": [day.isoformat(), account], "preview": found.stored()}
    query = {"date": day.isoformat(), "account": account}
    return urlencode({**query, _SO_FAR: signing.dumps(so_far, salt=_SALT, compress=True)})


def _warning(request: ActorRequest, day: date, within: UUID) -> str:
    """Say that a run for a subtree bills nothing because its invoices go to somebody above."""
    above = run_preview.bill_to_above(request.actor, within, day)
    if above is None:
        return ""
    return _(
        "What falls due here is invoiced to “%(bill_to)s”, which lies outside of this subtree. A"
        " run for the subtree alone leaves it waiting; choose “%(bill_to)s” or an account above it."
    ) % {"bill_to": above.name}


def _sentences(found: RunPreview, day: date) -> Iterator[str]:
    if found.documents:
        yield _("%(lines)s for %(accounts)s, %(sums)s net.") % {
            "lines": lines_text(found.lines),
            "accounts": accounts_text(found.accounts),
            "sums": sums_text(found.net_minor),
        }
        yield ngettext(
            "This makes %(count)s draft; nothing is issued before somebody approves.",
            "This makes %(count)s drafts; nothing is issued before somebody approves.",
            found.documents,
        ) % {"count": quantity(found.documents)}
    elif found.is_whole and not found.too_large:
        yield _("Nothing that could be billed by %(date)s was found.") % {"date": date_text(day)}
    for drafts in found.open_drafts:
        yield ngettext(
            "%(count)s open draft of the run of %(date)s is taken along (%(sum)s net).",
            "%(count)s open drafts of the run of %(date)s are taken along (%(sum)s net).",
            drafts.count,
        ) % {
            "count": quantity(drafts.count),
            "date": date_text(drafts.run_date),
            "sum": money(drafts.net_minor, drafts.currency),
        }
    if found.held:
        yield ngettext(
            "%(count)s line waits; the run says for what.",
            "%(count)s lines wait; the run says for what.",
            found.held,
        ) % {"count": quantity(found.held)}
    if found.too_large:
        yield ngettext(
            "%(count)s customer has more than %(most)s accounts and is not counted here.",
            "%(count)s customers have more than %(most)s accounts and are not counted here.",
            found.too_large,
        ) % {"count": quantity(found.too_large), "most": quantity(MOST_ACCOUNTS)}
    if not found.is_whole:
        yield _("Counted so far: %(done)s of %(total)s customers.") % {
            "done": quantity(found.done),
            "total": quantity(found.trees),
        }


def lines_text(count: int) -> str:
    """Return a number of lines in words."""
    return ngettext("%(count)s line", "%(count)s lines", count) % {"count": quantity(count)}


def accounts_text(count: int) -> str:
    """Return a number of accounts in words."""
    return ngettext("%(count)s account", "%(count)s accounts", count) % {"count": quantity(count)}


def sums_text(net_minor: Mapping[str, int]) -> str:
    """Return the sums, the largest first."""
    ordered = sorted(net_minor.items(), key=lambda pair: (-pair[1], pair[0]))
    return " + ".join(money(minor, currency) for currency, minor in ordered)
