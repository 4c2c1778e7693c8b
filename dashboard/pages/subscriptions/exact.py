"""Choosing exactly one version of a price on screen, whichever holds for the account."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from subscriptions.queries.catalogue import other_versions
from tenancy.actor import Actor
from web.prices import price_in_words

_MOST_VERSIONS: Final = 500


class ExactFields(forms.Form):
    """A price is asked for, and whether it is to be exactly that version."""

    _others: frozenset[str] = frozenset()

    exact = forms.BooleanField(
        label=gettext_lazy("Exactly this version"),
        help_text=gettext_lazy(
            "Otherwise any version stands for the one that the account has, and then for those"
            " that follow. One that the account does not have is kept for good."
        ),
        required=False,
    )

    @property
    def asked_for_version(self) -> list[str]:
        """The box, where there are several versions to choose from."""
        return ["exact"] if "exact" in self.fields else []

    def offer_versions(self, actor: Actor, currency: str | None, account_id: UUID | None) -> None:
        """Offer, below the prices, the versions that hold for nobody now. At most two statements.

        Args:
            actor: who chooses.
            currency: of the prices; None for any.
            account_id: whose negotiated prices are offered too; None for nobody's.
        """
        field = self.fields["price"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the checker of types
        offered: list[Any] = list(field.choices)  # type: ignore[arg-type]
        known = {str(key) for key, _text in offered}
        found = other_versions(actor, currency=currency, account_id=account_id)
        others = [
            (one.public_id, _in_words(one))
            for one in found.order_by("product__name", "name", "number", "id")[:_MOST_VERSIONS]
            if one.public_id not in known
        ]
        self._others = frozenset(key for key, _text in others)
        if others:
            field.choices = [*offered, (_("Other versions"), others)]
        else:
            # Nothing but what holds can be chosen: then there is nothing to ask.
            del self.fields["exact"]

    def clean(self) -> dict[str, Any]:
        """Ask for the box where a version was chosen that does not hold."""
        values = super().clean() or {}
        if values.get("price") in self._others and not values.get("exact"):
            self.add_error(
                "exact",
                _("This version does not hold now. Please say that exactly this one is meant."),
            )
        return values


def _in_words(price: Any) -> str:
    parts = {"price": price_in_words(price), "number": price.number}
    if price.account is not None:
        return _("%(price)s (version %(number)s, of %(account)s)") % {
            **parts,
            "account": price.account.name,
        }
    return _("%(price)s (version %(number)s)") % parts
