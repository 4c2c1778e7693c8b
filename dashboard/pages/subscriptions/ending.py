"""Ending a subscription on screen, with what that comes to, and taking an end back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from dashboard.pages.subscriptions.acting import (
    Act,
    changeable,
    likely_days,
    particulars,
    perform,
    sent,
)
from dashboard.pages.subscriptions.when import INPUT, WhenForm, choose, day_field
from invoicing.operations.subscriptions.ending import (
    AlreadyCancelled,
    Ended,
    cancel_subscription,
    reactivate_subscription,
)
from invoicing.tasks import rewrite_soon
from subscriptions.queries.contracts import ContractStanding, standing_of
from subscriptions.queries.subscriptions import get_subscription
from tenancy.formats import date_text
from web.page_heads import Fact
from web.session_checks import staff_only

_OF_CONTRACTS: Final = ("notice_on", "override_reason")


class EndForm(WhenForm):
    """With the running period, today, or on a day."""

    day = day_field(
        gettext_lazy("First day no longer served"),
        gettext_lazy("Only the days before it are charged; what was charged beyond is credited."),
    )

    notice_on = day_field(
        gettext_lazy("Notice was given on (optional)"), gettext_lazy("Left empty, today.")
    )
    override_reason = forms.CharField(
        label=gettext_lazy("Reason for an earlier end (optional)"),
        help_text=gettext_lazy(
            "With a reason it also ends earlier than its contract terms allow. It is kept in the"
            " history."
        ),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,
        begins: date | None,
        period_end: date | None,
        standing: ContractStanding | None,
        **kwargs: Any,
    ) -> None:
        """Name the end of term and period; what has not begun cannot end today."""
        super().__init__(*args, begins=begins, period_end=period_end, **kwargs)
        self.fields["when"].label = _("When does it end?")
        days = [("day", _("On another day"))]
        if begins is None:
            days.insert(0, ("now", _("Today")))
        if period_end is not None:
            text = _("With its period, on %(date)s") % {"date": date_text(period_end)}
            days.insert(0, ("period_end", text))
        if standing is None:
            del self.fields["notice_on"], self.fields["override_reason"]
        elif standing.earliest_end is not None and standing.notice_deadline is not None:
            text = _("As early as its contract terms allow, on %(date)s") % {
                "date": date_text(standing.earliest_end)
            }
            days.insert(0, ("term_end", text))
            self.fields["when"].help_text = _(
                "It can end on %(date)s if notice is given by %(deadline)s. Earlier days need a"
                " reason."
            ) % {
                "date": date_text(standing.earliest_end),
                "deadline": date_text(standing.notice_deadline),
            }
        choose(self, "when", days)


@dataclass(frozen=True, slots=True)
class _End:
    """An end as the page shows it."""

    ended: Ended

    @property
    def day(self) -> date:
        """The first day no longer served."""
        assert self.ended.end_date is not None  # noqa: S101 - it was just set
        return self.ended.end_date

    @property
    def charges(self) -> Any:
        """What the end makes good."""
        return self.ended.charges


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def end(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Ask when a subscription ends, and say what that comes to; POST ends it."""
    actor = request.actor
    found = changeable(actor, subscription_id)
    standing = standing_of(found, actor.today)
    if found.end_date is not None and not found.ends_with_term:
        raise AlreadyCancelled(day=found.end_date)
    form = EndForm(
        sent(request),
        **likely_days(actor, found),
        standing=standing,
        initial={"when": "period_end" if standing is None else "term_end"},
    )

    def carry_out(given: WhenForm, is_dry_run: bool, seen: Callable[[], None]) -> _End:
        ended = cancel_subscription(
            actor,
            found.pk,
            end_date=given.first_day(actor.today),
            at_term_end=given.cleaned_data["when"] == "term_end",
            notice_on=given.cleaned_data.get("notice_on"),
            override_reason=given.cleaned_data.get("override_reason", ""),
            **particulars(actor, given, is_dry_run, seen),
        )
        return _End(ended)

    act = Act(
        heading=_("End a subscription"),
        button=_("Set the end"),
        explanation=_(
            "Documents that were issued stay as they are. Until the end has come it can be taken"
            " back."
        ),
        done=_("The first day no longer served is %(date)s."),
        carry_out=carry_out,
        facts=lambda result: [Fact(_("First day no longer served"), date_text(result.day))],
    )
    fields = [name for name in ("when", "day", *_OF_CONTRACTS) if name in form.fields]
    return perform(request, found, form, act, fields=fields)


@require_POST
@staff_only
def go_on(request: ActorRequest, subscription_id: str) -> HttpResponse:
    """Take an end back that has not come yet."""
    actor = request.actor
    found = get_subscription(actor, subscription_id, today=actor.today)
    ended = reactivate_subscription(actor, found.pk, today=actor.today, now=timezone.now())
    rewrite_soon(actor, ended.charges)
    text = _("It goes on without an end.")
    if ended.end_date is not None:
        text = _("It ends with its term again, on %(date)s.") % {"date": date_text(ended.end_date)}
    messages.success(request, text)
    return redirect("subscriptions:page", found.public_id)
