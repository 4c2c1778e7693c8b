"""Holding back: which documents can't be made in this run, and what their charges wait for."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from invoicing.engine.families import Families, Problem
from invoicing.engine.placing import PlacedDocument
from invoicing.engine.signs import Signs

MOST_SIGNS = 20
"""So many signs are named; whoever installs a font needs the script, not each sign."""


def hold_back(
    families: Families, documents: Sequence[PlacedDocument], *, run_date: date | None
) -> list[PlacedDocument]:
    """Return the documents that can be made; the charges of the others stay pending.

    Held back is what lies outside the run's subtree, what has no complete recipient (R2), what its
    seller can't number any more (R6), and what no font can show. All but the first are noted as
    problems. Without a date nobody asks about numbers: what is approved late gets a later date
    (R28).
    """
    lacking, signs = _unaddressable(families, documents), Signs(families)
    possible = []
    for document in documents:
        reason: str | None = None
        params: dict[str, object] = {}
        if document.bill_to_id not in families.in_scope:
            reason = "outside_run"
            _warn_outside(families, document)
        elif document.bill_to_id in lacking:
            reason, params = "bill_to_incomplete", {"missing": lacking[document.bill_to_id]}
        elif run_date and not families.can_number(document.key.seller, run_date):
            reason = "run_date_before_last_issue"
            families.problems.append(Problem(reason, document.bill_to_id))
        elif missing := signs.lacking(document):
            reason = "glyphs_missing"
            _note_signs(families, missing)
        if reason is None:
            possible.append(document)
        else:
            document.keep_pending(reason, **params)
    return possible


def _warn_outside(families: Families, document: PlacedDocument) -> None:
    """Note once per recipient that a run for a subtree left charges waiting, and of whom."""
    if any(
        problem.code == "outside_run" and problem.account_id == document.bill_to_id
        for problem in families.problems
    ):
        return
    families.problems.append(Problem("outside_run", document.bill_to_id, is_warning=True))


def _note_signs(families: Families, missing: Mapping[UUID, str]) -> None:
    """Note once for each account the signs of it that no font has."""
    noted = {one.account_id for one in families.problems if one.code == "glyphs_missing"}
    families.problems += [
        Problem("glyphs_missing", account_id, params={"signs": signs[:MOST_SIGNS]})
        for account_id, signs in missing.items()
        if account_id not in noted
    ]


def _unaddressable(
    families: Families, documents: Sequence[PlacedDocument]
) -> dict[UUID, list[str]]:
    """Return what bill-tos lack of legal name, address and country, and note each (R2)."""
    lacking: dict[UUID, list[str]] = {}
    for document in documents:
        if document.bill_to_id not in families.in_scope:
            continue
        account = families.accounts[document.bill_to_id]
        missing = [
            name
            for name in ("legal_name", "line1", "city", "country")
            if not getattr(account, name)
        ]
        if missing and account.id not in lacking:
            lacking[account.id] = missing
            families.problems.append(
                Problem("bill_to_incomplete", account.id, params={"missing": missing})
            )
    return lacking
