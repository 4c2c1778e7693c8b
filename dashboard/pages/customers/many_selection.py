"""Accounts that are selected: one by one, all that a list's filters leave, or all of a tree.

The selection is sent in the body of a form: an address has no room for very many.
"""

from typing import Final
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from accounts.operations.accounts.editing_jobs import MOST_IN_JOB, TooManyForJob
from accounts.queries import trees
from dashboard.pages.customers.listing import filters_of
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of, parse_public_id

_SELECTION: Final = ("account", "ids", "everything", "all", "kind", "q", "tag", "in")


def selected(actor: Actor, values: QueryDict) -> list[UUID]:
    """Return the accounts that a form names, or all that match what the list is filtered by.

    One statement at most.

    Raises:
        NotFound: nothing is selected.
        TooManyForJob: see its text.
    """
    if values.get("everything") != "1":
        texts = [*values.getlist("account"), *values.getlist("ids")]
        keys = (parse_public_id("acc", text) for text in texts)
        ids = [*dict.fromkeys(key for key in keys if key is not None)]
    else:
        within, filters = values.get("in", ""), filters_of(values)
        found = trees.customers(
            actor,
            flat=filters.flat or bool(within),
            within=key_of("acc", within) if within else None,
            kind=filters.kind,
            text=filters.text or None,
            tag=filters.tag or None,
        )
        keys_of_all = found.order_by("sort_key", "pk").values_list("pk", flat=True)
        ids = list(keys_of_all[: MOST_IN_JOB + 1])
    if not ids:
        raise NotFound
    if len(ids) > MOST_IN_JOB:
        raise TooManyForJob(most=MOST_IN_JOB)
    return ids


def kept(values: QueryDict) -> list[tuple[str, str]]:
    """Return the selection, to be carried from step to step."""
    return [(name, value) for name in _SELECTION for value in values.getlist(name)]


def way_back(values: QueryDict) -> str:
    """Return where the accounts were selected: a tree, or the list with its filters."""
    if within := values.get("in"):
        return reverse("customers:tree", args=[within])
    query = QueryDict(mutable=True)
    for name in ("all", "kind", "q", "tag"):
        if value := values.get(name):
            query[name] = value
    listed = reverse("customers:list")
    return f"{listed}?{query.urlencode()}" if query else listed
