"""Sentences about what changes of settings do: API and pages say them alike."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.declarations import SETTINGS


def warning_sentence(code: str, name: str, accounts: int, who: str) -> str:
    """Return what to know before a setting is changed.

    Args:
        code: which warning.
        name: the setting.
        accounts: how many accounts it concerns.
        who: the name of an account that it is about.
    """
    values: Mapping[str, object] = {
        "setting": SETTINGS[name].label,
        "count": accounts,
        "account": who or _("another account"),
    }
    match code:
        case "no_effect":
            return (
                _(
                    "“%(setting)s” has no effect: no invoices go to this account, or to one below"
                    " that inherits it."
                )
                % values
            )
        case "no_effect_here":
            return (
                ngettext(
                    "“%(setting)s” has no effect on this account itself, whose invoices go to"
                    " another; %(count)s sub-account uses it.",
                    "“%(setting)s” has no effect on this account itself, whose invoices go to"
                    " another; %(count)s sub-accounts use it.",
                    accounts,
                )
                % values
            )
        case "bill_to_not_contract_party":
            return (
                ngettext(
                    "%(count)s account would be invoiced to somebody who is not its contract"
                    " party. Input VAT can be deducted only by who has the contract.",
                    "%(count)s accounts would be invoiced to somebody who is not their contract"
                    " party. Input VAT can be deducted only by who has the contract.",
                    accounts,
                )
                % values
            )
    return (
        _("“%(account)s” lacks legal name, address or country; its invoices would be held back.")
        % values
    )


WARNINGS: Final[tuple[str, ...]] = (
    "no_effect", "no_effect_here", "bill_to_not_contract_party", "bill_to_incomplete",
)  # fmt: skip
"""The codes of all warnings."""
