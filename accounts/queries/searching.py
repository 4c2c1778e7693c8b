"""Conditions for a search by a few letters, over what ``billing_rules.searching`` has folded."""

from functools import reduce
from operator import and_, or_

from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Replace
from django.db.models.lookups import Contains

from billing_rules.searching import searched_words


def has_words(text: str, *keys: str, otherwise: str) -> Q:
    """Return the condition that every word of a text is found in one of some keys.

    Args:
        text: what somebody typed.
        keys: columns that ``search_key`` has filled; a word may be in any of them.
        otherwise: a column that contains the text as it is, where it has no letter or digit.
    """
    words = searched_words(text)
    if not words:
        # PostgreSQL has no NUL in text, so nothing can contain one.
        return Q(**{f"{otherwise}__icontains": text.replace("\x00", "").strip()})
    each = []
    for word in words:
        conditions = [
            Q(**{f"{key}__contains": spelling}) for key in keys for spelling in word.spellings
        ]
        if word.joined is not None:
            conditions += [Q(Contains(_without_spaces(key), word.joined)) for key in keys]
        each.append(reduce(or_, conditions))
    return reduce(and_, each)


def _without_spaces(key: str) -> Replace:
    return Replace(F(key), Value(" "), Value(""), output_field=TextField())
