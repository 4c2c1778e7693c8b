"""What changes of settings do, in sentences."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.declarations import SettingName
from accounts.queries.setting_effects import Effect, Effects, Reroute
from accounts.words import warning_sentence
from web.templatetags.figures import quantity


def effect_sentences(effects: Effects) -> list[str]:
    """Return who follows, who keeps a value of their own, who is invoiced instead of whom."""
    found = [sentence for one in effects.effects for sentence in _of_those_below(one)]
    return [*found, *(_rerouted(one) for one in effects.reroutes)]


def warning_sentences(effects: Effects) -> list[str]:
    """Return what to know before."""
    return [warning_sentence(one.code, one.name, one.accounts, one.who) for one in effects.warnings]


def _of_those_below(effect: Effect) -> list[str]:
    if not (effect.following or effect.keeping):
        return [_("No sub-account is affected.")]
    sentences = [
        ngettext(
            "%(count)s sub-account inherits this.",
            "%(count)s sub-accounts inherit this.",
            effect.following,
        )
        % {"count": quantity(effect.following)}
    ]
    if effect.keeping:
        sentences.append(
            ngettext(
                "%(count)s sub-account keeps its own value.",
                "%(count)s sub-accounts keep their own values.",
                effect.keeping,
            )
            % {"count": quantity(effect.keeping)}
        )
    if effect.below_those:
        sentences.append(
            ngettext(
                "%(count)s account follows one of these.",
                "%(count)s accounts follow one of these.",
                effect.below_those,
            )
            % {"count": quantity(effect.below_those)}
        )
    return sentences


def _rerouted(one: Reroute) -> str:
    other = _("another account")
    values = {
        "count": quantity(one.accounts),
        "before": one.before_name or other,
        "after": one.after_name or other,
    }
    if one.name == SettingName.PAYER:
        sentence = ngettext(
            "The invoices of %(count)s recipient are paid by %(after)s instead of %(before)s.",
            "The invoices of %(count)s recipients are paid by %(after)s instead of %(before)s.",
            one.accounts,
        )
    else:
        sentence = ngettext(
            "%(count)s account is invoiced to %(after)s instead of %(before)s.",
            "%(count)s accounts are invoiced to %(after)s instead of %(before)s.",
            one.accounts,
        )
    return sentence % values
