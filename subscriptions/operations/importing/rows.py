"""What the imports of this app share."""

from django.utils.translation import gettext as _

from tenancy.files import FileRow, Problems


def refuse_difference(row: FileRow) -> None:
    """Note that what exists under this external id says something else."""
    row.refuse(
        "external_id",
        "already_exists_different",
        _("This external id exists already, with other values."),
    )


def warn_of_currency(
    row: FileRow, column: str, expected: str | None, sold_in: str, warned: Problems
) -> None:
    """Say of a price in another currency than its account's that its own decides."""
    if expected and expected != sold_in:
        warned.add(
            row.number,
            column,
            "other_currency",
            _(
                "The price is in %(currency)s, the account's currency is %(expected)s."
                " It is invoiced in %(currency)s."
            )
            % {"currency": sold_in, "expected": expected},
        )
